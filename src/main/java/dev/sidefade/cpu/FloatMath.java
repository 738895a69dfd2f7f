package dev.sidefade.cpu;

/**
 * Scalar exp and GELU in fp32, by the same formulas as the vector provider, so that both give the
 * same values.
 *
 * <p>exp: x = n ln 2 + r, a polynomial in r (coefficients of Cephes' expf, Moshier), times 2^n.
 * erf: formula 7.1.26 of Abramowitz and Stegun, absolute error below 1.5e-7.
 */
final class FloatMath {
  /** Adding and subtracting it rounds a float of magnitude below 2^22 to an integer. */
  static final float ROUND = 12582912f;

  static final float LOG2_E = 1.44269504f;
  static final float LN2_HIGH = 0.693359375f;
  static final float LN2_LOW = -2.12194440e-4f;

  /** Bits of 1f. */
  static final int ONE_BITS = 0x3f800000;

  /** Below it exp is below the smallest normal float. */
  static final float EXP_LOW = -87.33654f;

  static final float EXP_HIGH = 88.3762626f;
  static final float P0 = 1.9875691500e-4f;
  static final float P1 = 1.3981999507e-3f;
  static final float P2 = 8.3334519073e-3f;
  static final float P3 = 4.1665795894e-2f;
  static final float P4 = 1.6666665459e-1f;
  static final float P5 = 5.0000001201e-1f;

  static final float ERF_P = 0.3275911f;
  static final float ERF_1 = 0.254829592f;
  static final float ERF_2 = -0.284496736f;
  static final float ERF_3 = 1.421413741f;
  static final float ERF_4 = -1.453152027f;
  static final float ERF_5 = 1.061405429f;
  static final float SQRT_HALF = 0.70710678f;
  static final float INV_SQRT_2PI = 0.39894228f;

  private FloatMath() {}

  /** e^x, from the smallest normal float up; NaN stays NaN. */
  static float exp(float x) {
    float c = Math.max(Math.min(x, EXP_HIGH), EXP_LOW);
    float shifted = c * LOG2_E + ROUND;
    float n = shifted - ROUND;
    float r = (c - n * LN2_HIGH) - n * LN2_LOW;
    float p = ((((P0 * r + P1) * r + P2) * r + P3) * r + P4) * r + P5;
    return (p * r * r + r + 1f)
        * Float.intBitsToFloat((Float.floatToRawIntBits(shifted) << 23) + ONE_BITS);
  }

  /** 1 - Phi(|x|) of the standard normal given e = exp(-x^2 / 2). */
  static float upperTail(float x, float e) {
    float t = 1f / (1f + ERF_P * SQRT_HALF * Math.abs(x));
    float poly = ((((ERF_5 * t + ERF_4) * t + ERF_3) * t + ERF_2) * t + ERF_1) * t;
    return 0.5f * poly * e;
  }

  static float gelu(float x) {
    return Math.max(x, 0f) - Math.abs(x) * upperTail(x, exp(-0.5f * x * x));
  }

  static float geluDerivative(float x) {
    float e = exp(-0.5f * x * x);
    return 0.5f + Math.copySign(0.5f - upperTail(x, e), x) + x * INV_SQRT_2PI * e;
  }
}
