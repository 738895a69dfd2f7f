package dev.sidefade.export;

import dev.sidefade.tensor.BadInputException;

/**
 * What training added to the weight of a linear layer, as a product: W + A B. The arrays are not
 * copied and must not be changed afterwards.
 *
 * @param a A [in, rank], row-major
 * @param b B [rank, out], row-major
 * @param rank columns of A and rows of B
 * @param in features that the layer reads
 * @param out features that it returns
 */
public record LowRank(float[] a, float[] b, int rank, int in, int out) {
  /** Behind the name of a linear layer, names A. */
  static final String A = ".a";

  /** Behind the name of a linear layer, names B. */
  static final String B = ".b";

  /**
   * Checks sizes and that all values are finite.
   *
   * @throws BadInputException naming what does not fit
   */
  public LowRank {
    boolean positive = rank > 0 && in > 0 && out > 0;
    if (!positive || (long) in * rank != a.length || (long) rank * out != b.length) {
      throw new BadInputException(
          "a low-rank change of a weight ["
              + in
              + ", "
              + out
              + "] by rank "
              + rank
              + " has factors of "
              + a.length
              + " and "
              + b.length
              + " values; train it again");
    }
    TunedTail.check("the first factor of a low-rank change", a, a.length);
    TunedTail.check("the second factor of a low-rank change", b, b.length);
  }
}
