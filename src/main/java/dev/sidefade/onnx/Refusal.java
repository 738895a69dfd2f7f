package dev.sidefade.onnx;

import dev.sidefade.tensor.BadInputException;

/** Makes errors of sentences that quote what a file says, which may be anything. */
final class Refusal {
  private static final int LONGEST = 600;

  private Refusal() {}

  /** The error with line breaks, terminal controls and overlong names taken out of its message. */
  static BadInputException of(String message) {
    StringBuilder printable = new StringBuilder(Math.min(message.length(), LONGEST));
    int letters = 0;
    for (int at = 0, letter; at < message.length(); at += Character.charCount(letter)) {
      if (letters++ == LONGEST) {
        break;
      }
      letter = message.codePointAt(at);
      printable.appendCodePoint(isPrintable(letter) ? letter : '?');
    }
    return new BadInputException(
        message.length() > printable.length() ? printable + "…" : printable.toString());
  }

  private static boolean isPrintable(int codePoint) {
    return switch (Character.getType(codePoint)) {
      case Character.CONTROL,
          Character.FORMAT,
          Character.LINE_SEPARATOR,
          Character.PARAGRAPH_SEPARATOR,
          Character.SURROGATE,
          Character.UNASSIGNED ->
          false;
      default -> true;
    };
  }
}
