package dev.sidefade.kernels;

import java.util.Random;

/** Seeded test data, and helpers over flat arrays. */
final class Data {
  private Data() {}

  static float[] normal(long seed, int count) {
    return normal(seed, count, 1);
  }

  static float[] normal(long seed, int count, double scale) {
    Random random = new Random(seed * 7919 + 13);
    float[] values = new float[count];
    for (int i = 0; i < count; i++) {
      values[i] = (float) (random.nextGaussian() * scale);
    }
    return values;
  }

  /** 1 with the given probability, else 0. */
  static float[] flags(long seed, int count, double probability) {
    Random random = new Random(seed * 7919 + 17);
    float[] values = new float[count];
    for (int i = 0; i < count; i++) {
      values[i] = random.nextDouble() < probability ? 1 : 0;
    }
    return values;
  }

  /** 1 for the first tokens of each sample, at least one, then 0: padding on the right. */
  static float[] validity(long seed, int batch, int tokens) {
    Random random = new Random(seed * 7919 + 19);
    float[] valid = new float[batch * tokens];
    for (int b = 0; b < batch; b++) {
      int length = b == 0 ? tokens : 1 + random.nextInt(tokens);
      for (int t = 0; t < length; t++) {
        valid[b * tokens + t] = 1;
      }
    }
    return valid;
  }

  /** Ladder coefficients: a third exactly 0, a third exactly 1, the rest between. */
  static float[] coefficients(long seed, int count) {
    Random random = new Random(seed * 7919 + 23);
    float[] c = new float[count];
    for (int i = 0; i < count; i++) {
      int kind = random.nextInt(3);
      c[i] = kind < 2 ? kind : 0.05f + 0.9f * random.nextFloat();
    }
    return c;
  }

  static float[] filled(int count, float value) {
    float[] values = new float[count];
    java.util.Arrays.fill(values, value);
    return values;
  }

  static double[] widen(float[] values) {
    if (values == null) {
      return null;
    }
    double[] wide = new double[values.length];
    for (int i = 0; i < values.length; i++) {
      wide[i] = values[i];
    }
    return wide;
  }

  static float[] narrow(double[] values) {
    float[] narrow = new float[values.length];
    for (int i = 0; i < values.length; i++) {
      narrow[i] = (float) values[i];
    }
    return narrow;
  }

  /**
   * A copy with NaN in the rows whose flag has the given value: rows that a kernel must not read.
   */
  static float[] poison(float[] values, int width, float[] flags, float when) {
    float[] copy = values.clone();
    for (int row = 0; row < flags.length; row++) {
      if (flags[row] == when) {
        java.util.Arrays.fill(copy, row * width, (row + 1) * width, Float.NaN);
      }
    }
    return copy;
  }

  /** One flag per row: 1 for prefix tokens. */
  static float[] prefixFlags(TokenLayout layout) {
    float[] flags = new float[layout.rows()];
    for (int row = 0; row < flags.length; row++) {
      flags[row] = row % layout.tokens() < layout.prefix() ? 1 : 0;
    }
    return flags;
  }

  static double sum(double[] values) {
    double sum = 0;
    for (double v : values) {
      sum += v;
    }
    return sum;
  }

  static double dot(double[] a, double[] b) {
    double sum = 0;
    for (int i = 0; i < a.length; i++) {
      sum += a[i] * b[i];
    }
    return sum;
  }

  static double largest(double[] values) {
    double largest = 0;
    for (double v : values) {
      largest = Math.max(largest, Math.abs(v));
    }
    return largest;
  }
}
