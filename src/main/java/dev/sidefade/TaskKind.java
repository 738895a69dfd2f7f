package dev.sidefade;

/** What the examples are and what is learned of them. */
public enum TaskKind {
  /** A class for each image. */
  IMAGE,
  /** A class for each text, or pair of texts. */
  TEXT,
  /** A number for each text, or pair of texts. */
  REGRESSION,
  /** A class for each word of a text. */
  TOKENS;

  /** {@return whether the examples are texts} */
  public boolean isText() {
    return this != IMAGE;
  }
}
