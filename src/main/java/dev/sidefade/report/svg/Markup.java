package dev.sidefade.report.svg;

import java.util.ArrayDeque;
import java.util.Deque;

/**
 * Writes XML elements; every text and attribute value is escaped on its way in, so no caller can
 * forget it. What comes out is well-formed XML and also valid inside HTML as long as {@link #leaf}
 * is kept for SVG shapes and HTML's void elements.
 */
public final class Markup {
  private final StringBuilder out = new StringBuilder();
  private final Deque<String> unclosed = new ArrayDeque<>();

  /**
   * Opens an element; {@code attributes} are names and values in turn, numbers are written as
   * coordinates.
   */
  public Markup open(String name, Object... attributes) {
    start(name, attributes);
    out.append('>');
    unclosed.push(name);
    return this;
  }

  /** Closes the element that was opened last. */
  public Markup close() {
    out.append("</").append(unclosed.pop()).append(">\n");
    return this;
  }

  /** An element without content, closed at once. */
  public Markup leaf(String name, Object... attributes) {
    start(name, attributes);
    out.append("/>\n");
    return this;
  }

  /** An element whose only content is text. */
  public Markup element(String name, String text, Object... attributes) {
    return open(name, attributes).text(text).close();
  }

  public Markup text(String text) {
    escape(text, out);
    return this;
  }

  /** Content that is markup already, from another {@code Markup} or a constant: never from data. */
  public Markup raw(String markup) {
    out.append(markup);
    return this;
  }

  private void start(String name, Object... attributes) {
    if (attributes.length % 2 != 0) {
      throw new IllegalArgumentException(
          "attributes of <" + name + "> are names and values in turn");
    }
    out.append('<').append(name);
    for (int i = 0; i < attributes.length; i += 2) {
      Object value = attributes[i + 1];
      out.append(' ').append(attributes[i]).append("=\"");
      escape(value instanceof Double d ? Numbers.coordinate(d) : String.valueOf(value), out);
      out.append('"');
    }
  }

  /**
   * {@code text} with the five special characters replaced and what XML cannot hold turned into
   * U+FFFD.
   */
  public static String escape(String text) {
    StringBuilder escaped = new StringBuilder(text.length() + 16);
    escape(text, escaped);
    return escaped.toString();
  }

  private static void escape(String text, StringBuilder into) {
    text.codePoints()
        .forEach(c -> {
          switch (c) {
            case '&' -> into.append("&amp;");
            case '<' -> into.append("&lt;");
            case '>' -> into.append("&gt;");
            case '"' -> into.append("&quot;");
            case '\'' -> into.append("&#39;");
            default -> into.appendCodePoint(isAllowed(c) ? c : 0xFFFD);
          }
        });
  }

  /** The characters of XML 1.0, less the C1 controls, which HTML parsers object to. */
  private static boolean isAllowed(int c) {
    return c == '\t'
        || c == '\n'
        || c == '\r'
        || (c >= 0x20 && c < 0x7F)
        || (c >= 0xA0 && c <= 0xD7FF)
        || (c >= 0xE000 && c <= 0xFFFD)
        || c >= 0x10000;
  }

  /** What was written; every element must have been closed. */
  @Override
  public String toString() {
    if (!unclosed.isEmpty()) {
      throw new IllegalStateException("not closed: " + unclosed);
    }
    return out.toString();
  }
}
