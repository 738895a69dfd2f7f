package dev.sidefade.bench.tables;

/** Student's t distribution. */
final class Student {
  private Student() {}

  /**
   * What 95 % of the distribution lie within, on both sides of 0.
   *
   * @param degrees of freedom, above 0
   */
  static double quantile95(double degrees) {
    double low = 0;
    double high = 1e3;
    for (int i = 0; i < 100; i++) {
      double middle = (low + high) / 2;
      if (outside(middle, degrees) > 0.05) {
        low = middle;
      } else {
        high = middle;
      }
    }
    return high;
  }

  /** The share farther from 0 than t: the incomplete beta function I_x(n/2, 1/2), x = n/(n+t^2). */
  static double outside(double t, double degrees) {
    return incompleteBeta(degrees / (degrees + t * t), degrees / 2, 0.5);
  }

  /** By the continued fraction of Lentz, on the side where it converges. */
  private static double incompleteBeta(double x, double a, double b) {
    if (x <= 0 || x >= 1) {
      return x <= 0 ? 0 : 1;
    }
    if (x > (a + 1) / (a + b + 2)) {
      return 1 - incompleteBeta(1 - x, b, a);
    }
    double front =
        Math.exp(a * Math.log(x) + b * Math.log1p(-x) + logGamma(a + b) - logGamma(a) - logGamma(b))
            / a;
    double c = 1;
    double d = 1 / guarded(1 - (a + b) * x / (a + 1));
    double value = d;
    for (int m = 1; m < 300; m++) {
      double even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m));
      d = 1 / guarded(1 + even * d);
      c = guarded(1 + even / c);
      value *= d * c;
      double odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1));
      d = 1 / guarded(1 + odd * d);
      c = guarded(1 + odd / c);
      value *= d * c;
      if (Math.abs(d * c - 1) < 1e-14) {
        break;
      }
    }
    return front * value;
  }

  private static double guarded(double value) {
    return Math.abs(value) < 1e-300 ? 1e-300 : value;
  }

  /** By Stirling's series, above 10 where it is exact to 1e-12. */
  private static double logGamma(double x) {
    double shift = 0;
    double z = x;
    while (z < 10) {
      shift -= Math.log(z);
      z++;
    }
    double r = 1 / (z * z);
    return shift
        + (z - 0.5) * Math.log(z)
        - z
        + 0.5 * Math.log(2 * Math.PI)
        + (1.0 / 12 - r * (1.0 / 360 - r * (1.0 / 1260 - r / 1680))) / z;
  }
}
