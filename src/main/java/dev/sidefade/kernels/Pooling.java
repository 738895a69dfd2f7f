package dev.sidefade.kernels;

/** How token features [batch, tokens, width] become the rows that a head reads. */
public enum Pooling {
  /** The first token; output width is the token width. */
  CLS(1),
  /** Mean over the valid tokens after the prefix tokens; output width is the token width. */
  MEAN(1),
  /** Both, the first token before the mean; output width is twice the token width. */
  CLS_MEAN(2),
  /**
   * No pooling, for tasks with a label per token: every token, prefix tokens included, is a row of
   * the output; rows of padding are 0. Output width is the token width.
   */
  TOKENS(1);

  private final int parts;

  Pooling(int parts) {
    this.parts = parts;
  }

  /** {@return output width divided by token width} */
  public int parts() {
    return parts;
  }

  /**
   * {@return rows of the output: one per token for {@link #TOKENS}, otherwise one per sample}
   *
   * @param layout how the rows are arranged
   */
  public int rows(TokenLayout layout) {
    return this == TOKENS ? layout.rows() : layout.batch();
  }
}
