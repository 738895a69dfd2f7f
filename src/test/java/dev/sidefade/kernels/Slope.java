package dev.sidefade.kernels;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.function.DoubleSupplier;

/** Central finite differences in F64: an independent check of the references' gradients. */
final class Slope {
  private static final double STEP = 1e-5;

  private Slope() {}

  /**
   * {@code gradient} is that of {@code loss} by {@code point}, which is varied in place, to 1e-6 of
   * its size.
   */
  static void check(String what, double[] point, double[] gradient, DoubleSupplier loss) {
    assertEquals(point.length, gradient.length, what);
    double scale = Math.max(Data.largest(gradient), 1e-2);
    for (int i = 0; i < point.length; i++) {
      double value = point[i];
      point[i] = value + STEP;
      double above = loss.getAsDouble();
      point[i] = value - STEP;
      double below = loss.getAsDouble();
      point[i] = value;
      assertEquals((above - below) / (2 * STEP), gradient[i], 1e-6 * scale, what + "[" + i + "]");
    }
  }
}
