package dev.sidefade.report.svg;

import java.math.BigDecimal;
import java.math.MathContext;
import java.math.RoundingMode;

/** Numbers as text, the same in every locale. */
public final class Numbers {
  private Numbers() {}

  /** A coordinate with at most two decimals, 0 where {@code value} is not finite. */
  static String coordinate(double value) {
    if (!Double.isFinite(value)) {
      return "0";
    }
    return strip(BigDecimal.valueOf(value).setScale(2, RoundingMode.HALF_UP)).toPlainString();
  }

  /**
   * {@code value} with at most {@code digits} significant digits and no trailing zeros; very large
   * and very small ones with an exponent ({@code 1.2e-7}); {@code n/a} where it is not finite.
   */
  public static String significant(double value, int digits) {
    if (!Double.isFinite(value)) {
      return "n/a";
    }
    BigDecimal rounded =
        strip(BigDecimal.valueOf(value).round(new MathContext(digits, RoundingMode.HALF_UP)));
    int exponent = rounded.precision() - rounded.scale() - 1;
    if (rounded.signum() == 0 || (exponent >= -4 && exponent < Math.max(6, digits))) {
      return rounded.toPlainString();
    }
    BigDecimal mantissa = strip(rounded.movePointLeft(exponent));
    return mantissa.toPlainString() + "e" + exponent;
  }

  /** {@code value} with exactly {@code decimals} decimals, {@code n/a} where it is not finite. */
  public static String fixed(double value, int decimals) {
    if (!Double.isFinite(value)) {
      return "n/a";
    }
    BigDecimal rounded = BigDecimal.valueOf(value).setScale(decimals, RoundingMode.HALF_UP);
    return rounded.toPlainString();
  }

  private static BigDecimal strip(BigDecimal number) {
    return number.signum() == 0 ? BigDecimal.ZERO : number.stripTrailingZeros();
  }
}
