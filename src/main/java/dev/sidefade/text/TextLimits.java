package dev.sidefade.text;

/**
 * What a model takes.
 *
 * @param maxLength tokens of a text at most, special ones among them; longer texts are cut
 * @param vocabularyRows rows of the model's embedding, which all token ids must be below; {@code
 *     Long.MAX_VALUE} if unknown
 */
public record TextLimits(int maxLength, long vocabularyRows) {
  /** Checks the range. */
  public TextLimits {
    if (maxLength < 1 || vocabularyRows < 1) {
      throw new IllegalArgumentException(
          "limits of " + maxLength + " tokens and " + vocabularyRows + " ids are not positive");
    }
  }

  /**
   * {@return a length only}
   *
   * @param maxLength number of tokens at most
   */
  public static TextLimits ofLength(int maxLength) {
    return new TextLimits(maxLength, Long.MAX_VALUE);
  }
}
