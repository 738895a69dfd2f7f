package dev.sidefade.cpu;

/**
 * Scalar exp and GELU in fp32, by the same formulas as the vector provider, so that both give the
 * same values.
 *
 * <p>2^x: x = n + f with |f| <= 1/2, a polynomial in f (fitted here for the least largest relative
 * error, 9.2e-8, with 1 as its constant term), times 2^n. e^x is 2^(x log2 e); rounding that
 * product costs |x| 2^-24 relative, which is below 4e-8 absolute for x <= 0. erf: formula 7.1.26 of
 * Abramowitz and Stegun, absolute error below 1.5e-7.
 */
final class FloatMath {
  /** Adding and subtracting it rounds a float of magnitude below 2^22 to an integer. */
  static final float ROUND = 12582912f;

  static final float LOG2_E = 1.44269504f;

  /** Bits of 1f. */
  static final int ONE_BITS = 0x3f800000;

  /** Exponent of the smallest normal float: below it 2^x stays there. */
  static final float EXP2_LOW = -126f;

  static final float EXP2_HIGH = 127f;
  static final float P1 = 0.6931470036506653f;
  static final float P2 = 0.24022242426872253f;
  static final float P3 = 0.05550733581185341f;
  static final float P4 = 0.009671512991189957f;
  static final float P5 = 0.001326472731307149f;

  static final float ERF_P = 0.3275911f;
  static final float ERF_1 = 0.254829592f;
  static final float ERF_2 = -0.284496736f;
  static final float ERF_3 = 1.421413741f;
  static final float ERF_4 = -1.453152027f;
  static final float ERF_5 = 1.061405429f;

  /** exp(-x^2 / 2) = 2^(x^2 BELL_SCALE). */
  static final float BELL_SCALE = -0.5f * LOG2_E;

  static final float SQRT_HALF = 0.70710678f;
  static final float INV_SQRT_2PI = 0.39894228f;

  private FloatMath() {}

  /** 2^x, from the smallest normal float up; NaN stays NaN. */
  static float exp2(float x) {
    float c = Math.max(Math.min(x, EXP2_HIGH), EXP2_LOW);
    float shifted = c + ROUND;
    float f = c - (shifted - ROUND);
    float p = ((((P5 * f + P4) * f + P3) * f + P2) * f + P1) * f + 1f;
    return p * Float.intBitsToFloat((Float.floatToRawIntBits(shifted) << 23) + ONE_BITS);
  }

  /** exp(-x^2 / 2). */
  static float bell(float x) {
    return exp2(x * x * BELL_SCALE);
  }

  /** 1 - Phi(|x|) of the standard normal given e = exp(-x^2 / 2). */
  static float upperTail(float x, float e) {
    float t = 1f / (1f + ERF_P * SQRT_HALF * Math.abs(x));
    float poly = ((((ERF_5 * t + ERF_4) * t + ERF_3) * t + ERF_2) * t + ERF_1) * t;
    return 0.5f * poly * e;
  }

  static float gelu(float x) {
    return Math.max(x, 0f) - Math.abs(x) * upperTail(x, bell(x));
  }

  static float geluDerivative(float x) {
    float e = bell(x);
    return 0.5f + Math.copySign(0.5f - upperTail(x, e), x) + x * INV_SQRT_2PI * e;
  }
}
