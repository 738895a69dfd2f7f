package dev.sidefade.kernels;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assertions.fail;

/**
 * Comparison of F32 results with F64 references.
 *
 * <p>The rounding errors of a sum of n random terms in F32, in whatever order, grow as sqrt(n)
 * 2^-24 times the size of its partial sums. An elementary function (exp, erf, rsqrt) is within a
 * few 2^-22. So the tolerance is (2e-6 + 2^-23 * 2 sqrt(n)) of the scale: 1e-5 for n = 1000. The
 * scale is the largest value of the tensor, since elements that are small by cancellation have
 * errors of that size, too.
 */
final class Close {
  private Close() {}

  /** Relative tolerance for results that accumulate {@code terms} terms. */
  static double tolerance(long terms) {
    return 2e-6 + 0x1p-23 * 2 * Math.sqrt(terms);
  }

  /**
   * Every element within tolerance of the largest expected one, or of 1 where all are smaller:
   * inputs are of size 1, and so are the terms whose sum may be small.
   */
  static void near(String what, float[] got, double[] want, long terms) {
    near(what, got, want, terms, Math.max(1, Data.largest(want)));
  }

  /** Every element within tolerance of {@code scale}. */
  static void near(String what, float[] got, double[] want, long terms, double scale) {
    assertEquals(want.length, got.length, what + ": number of elements");
    double allowed = tolerance(terms) * scale;
    for (int i = 0; i < got.length; i++) {
      if (!(Math.abs(got[i] - want[i]) <= allowed)) {
        fail(
            what
                + "["
                + i
                + "] of "
                + got.length
                + ": expected "
                + want[i]
                + ", got "
                + got[i]
                + ", allowed "
                + allowed);
      }
    }
  }

  /** Rows whose flag has the given value are within tolerance; others are not looked at. */
  static void nearRows(
      String what, float[] got, double[] want, int width, float[] flags, float when, long terms) {
    double[] expected = want.clone();
    float[] actual = got.clone();
    for (int row = 0; row < flags.length; row++) {
      if (flags[row] != when) {
        java.util.Arrays.fill(expected, row * width, (row + 1) * width, 0);
        java.util.Arrays.fill(actual, row * width, (row + 1) * width, 0);
      }
    }
    near(what, actual, expected, terms);
  }

  static void finite(String what, float[] got) {
    for (int i = 0; i < got.length; i++) {
      assertTrue(Float.isFinite(got[i]), what + "[" + i + "] is " + got[i]);
    }
  }

  static void zero(String what, float[] got) {
    for (int i = 0; i < got.length; i++) {
      assertTrue(got[i] == 0, what + "[" + i + "] should be 0 and is " + got[i]);
    }
  }
}
