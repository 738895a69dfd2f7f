package dev.sidefade.tensor;

/**
 * The person who called made a mistake that they can mend: a missing file, a truncated image, a
 * width that heads do not divide. The message is one sentence that says what was wrong, what was
 * expected and what to do; the command line shows it without a stack trace and ends with exit code
 * 2.
 */
public final class BadInputException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  private static final int LONGEST = 2000;
  private static final int END = 400;

  /**
   * A complaint about something that was given.
   *
   * @param message one sentence: what was wrong with the value, what was expected, what to do
   */
  public BadInputException(String message) {
    super(sentence(message));
  }

  /**
   * A complaint about something that was given.
   *
   * @param message one sentence: what was wrong with the value, what was expected, what to do
   * @param cause what it followed from
   */
  public BadInputException(String message, Throwable cause) {
    super(sentence(message), cause);
  }

  /**
   * One line that a terminal can show: messages quote what files say, which may be anything, line
   * breaks, terminal controls and megabytes among it.
   */
  private static String sentence(String message) {
    if (message == null) {
      return "bad input";
    }
    String line = String.join(" ", message.lines().map(String::strip).toList());
    if (line.length() > LONGEST) {
      line = line.substring(0, LONGEST - END) + " ... " + line.substring(line.length() - END + 5);
    }
    StringBuilder shown = new StringBuilder(line.length());
    for (int at = 0, letter; at < line.length(); at += Character.charCount(letter)) {
      letter = line.codePointAt(at);
      shown.appendCodePoint(isShown(letter) ? letter : '?');
    }
    return shown.toString();
  }

  private static boolean isShown(int codePoint) {
    return switch (Character.getType(codePoint)) {
      case Character.CONTROL,
          Character.LINE_SEPARATOR,
          Character.PARAGRAPH_SEPARATOR,
          Character.SURROGATE ->
          false;
      default -> true;
    };
  }
}
