package dev.sidefade.data;

/** The mark with which some programs begin UTF-8 text: U+FEFF. */
public final class ByteOrderMark {
  private static final String MARK = "\uFEFF";

  private ByteOrderMark() {}

  /**
   * {@return a text without the mark at its start}
   *
   * @param text the whole text, or its first line
   */
  public static String strip(String text) {
    return text.startsWith(MARK) ? text.substring(1) : text;
  }
}
