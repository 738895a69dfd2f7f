package dev.sidefade.kernels;

import dev.sidefade.tensor.Tensor;

/**
 * Sizes of a product op(a) op(b) of matrices, op being the transpose where asked: [m, k] times [k,
 * n].
 *
 * @param m rows of the product
 * @param n columns of the product
 * @param k length of the sums
 */
public record ProductShape(long m, long n, long k) {

  /**
   * Of two tensors.
   *
   * @param a the left factor
   * @param transposeA whether a is transposed
   * @param b the right factor
   * @param transposeB whether b is transposed
   * @return the sizes
   * @throws IllegalArgumentException if they are not matrices or do not fit each other
   */
  public static ProductShape of(Tensor a, boolean transposeA, Tensor b, boolean transposeB) {
    if (a.shape().rank() != 2 || b.shape().rank() != 2) {
      throw new IllegalArgumentException(
          "gemm needs matrices, got " + a.shape() + " and " + b.shape());
    }
    long k = a.dim(transposeA ? 0 : 1);
    if (b.dim(transposeB ? 1 : 0) != k) {
      throw new IllegalArgumentException(
          "gemm cannot multiply "
              + a.shape()
              + (transposeA ? " transposed" : "")
              + " by "
              + b.shape()
              + (transposeB ? " transposed" : ""));
    }
    return new ProductShape(a.dim(transposeA ? 1 : 0), b.dim(transposeB ? 0 : 1), k);
  }
}
