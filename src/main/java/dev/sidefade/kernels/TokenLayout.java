package dev.sidefade.kernels;

/**
 * How the rows of a token tensor [batch * tokens, width] are arranged: {@code prefix} tokens (CLS,
 * distillation) come first in each sample and are followed, in vision models, by a row-major grid
 * of patches.
 *
 * @param batch samples
 * @param tokens tokens of a sample, prefix included
 * @param prefix tokens before the patches: never masked, not part of the mean
 * @param gridHeight rows of the patch grid; 0 when the tokens are a sequence
 * @param gridWidth columns of the patch grid; 0 when the tokens are a sequence
 */
public record TokenLayout(int batch, int tokens, int prefix, int gridHeight, int gridWidth) {
  /** Refuses sizes that do not fit each other. */
  public TokenLayout {
    if (batch < 1 || tokens < 1 || prefix < 0 || prefix > tokens) {
      throw new IllegalArgumentException(
          "bad token layout: batch " + batch + ", tokens " + tokens + ", prefix " + prefix);
    }
    if (gridHeight != 0 && prefix + gridHeight * gridWidth != tokens) {
      throw new IllegalArgumentException(
          "a grid of "
              + gridHeight
              + " x "
              + gridWidth
              + " and "
              + prefix
              + " prefix tokens is not "
              + tokens
              + " tokens");
    }
  }

  /** {@return all rows of the batch} */
  public int rows() {
    return Math.multiplyExact(batch, tokens);
  }

  /**
   * {@return the same arrangement for another number of samples, each of another length}
   *
   * @param samples number of samples
   * @param length tokens of a sample
   */
  public TokenLayout with(int samples, int length) {
    return new TokenLayout(samples, length, prefix, gridHeight, gridWidth);
  }

  /**
   * {@return the same arrangement for another number of samples}
   *
   * @param samples number of samples
   */
  public TokenLayout withBatch(int samples) {
    return new TokenLayout(samples, tokens, prefix, gridHeight, gridWidth);
  }
}
