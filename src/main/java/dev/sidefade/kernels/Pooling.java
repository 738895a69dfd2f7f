package dev.sidefade.kernels;

/** How token features [batch, tokens, width] become one row per sample. */
public enum Pooling {
  /** The first token; output width is the token width. */
  CLS(1),
  /** Mean over the valid tokens after the prefix tokens; output width is the token width. */
  MEAN(1),
  /** Both, the first token before the mean; output width is twice the token width. */
  CLS_MEAN(2);

  private final int parts;

  Pooling(int parts) {
    this.parts = parts;
  }

  /** Output width divided by token width. */
  public int parts() {
    return parts;
  }
}
