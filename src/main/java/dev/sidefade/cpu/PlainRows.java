package dev.sidefade.cpu;

import static dev.sidefade.cpu.RawMemory.get;
import static dev.sidefade.cpu.RawMemory.set;

/** Plain loops, and the tails of the vector provider. */
final class PlainRows implements RowMath {
  private static final int PANEL = 16;

  @Override
  public String describe() {
    return "plain loops (add --add-modules jdk.incubator.vector for the Vector API)";
  }

  @Override
  public void copyRows(long from, long fromStride, long to, long toStride, int rows, int n) {
    for (long i = 0; i < 4L * n; i += 4) {
      for (int r = 0; r < rows; r++) {
        set(to + r * toStride + i, get(from + r * fromStride + i));
      }
    }
  }

  @Override
  public void transpose(long x, long rowStride, long y, int rows, int n) {
    long stride = 4L * rows;
    for (int i = 0; i < n; i++) {
      long from = x + 4L * i;
      long to = y + i * stride;
      for (long end = to + stride; to != end; to += 4) {
        set(to, get(from));
        from += rowStride;
      }
    }
  }

  @Override
  public void fill(float value, long y, int from, int n) {
    for (long i = 4L * from, end = 4L * n; i < end; i += 4) {
      set(y + i, value);
    }
  }

  @Override
  public void add(long x, long y, int n) {
    for (long i = 0, end = 4L * n; i < end; i += 4) {
      set(y + i, get(y + i) + get(x + i));
    }
  }

  @Override
  public void scale(float a, long x, long y, int n) {
    for (long i = 0, end = 4L * n; i < end; i += 4) {
      set(y + i, a * get(x + i));
    }
  }

  @Override
  public void addScaled(float a, long x, long y, int n) {
    for (long i = 0, end = 4L * n; i < end; i += 4) {
      set(y + i, get(y + i) + a * get(x + i));
    }
  }

  @Override
  public void mix(float c, long z, long u, long y, int n) {
    for (long i = 0, end = 4L * n; i < end; i += 4) {
      float s = get(z + i);
      set(y + i, s + c * (get(u + i) - s));
    }
  }

  @Override
  public float dot(long x, long y, int n) {
    float s = 0;
    for (long i = 0, end = 4L * n; i < end; i += 4) {
      s += get(x + i) * get(y + i);
    }
    return s;
  }

  @Override
  public float dotDifference(long a, long x, float shiftX, long y, float shiftY, int n) {
    float s = 0;
    for (long i = 0, end = 4L * n; i < end; i += 4) {
      s += get(a + i) * ((get(x + i) - shiftX) - (get(y + i) - shiftY));
    }
    return s;
  }

  @Override
  public float sumOfSquares(long x, int n) {
    return dot(x, x, n);
  }

  @Override
  public float max(long x, int n) {
    float m = Float.NEGATIVE_INFINITY;
    for (long i = 0, end = 4L * n; i < end; i += 4) {
      m = Math.max(m, get(x + i));
    }
    return m;
  }

  @Override
  public float sum(long x, float shift, int n) {
    float s = 0;
    for (long i = 0, end = 4L * n; i < end; i += 4) {
      s += get(x + i) - shift;
    }
    return s;
  }

  @Override
  public float expScaled(long x, float shift, float scale, long y, int n) {
    float factor = scale * FloatMath.LOG2_E;
    float s = 0;
    for (long i = 0, end = 4L * n; i < end; i += 4) {
      float e = FloatMath.exp2((get(x + i) - shift) * factor);
      set(y + i, e);
      s += e;
    }
    return s;
  }

  @Override
  public void moments(long x, float epsilon, long mean, long rstd, int n) {
    float mu = sum(x, 0, n) / n;
    float s = 0;
    for (long i = 0, end = 4L * n; i < end; i += 4) {
      float d = get(x + i) - mu;
      s += d * d;
    }
    set(mean, mu);
    set(rstd, (float) (1 / Math.sqrt(s / n + epsilon)));
  }

  @Override
  public void layerNorm(
      long x, long gamma, long beta, float epsilon, long y, long mean, long rstd, int rows, int n) {
    for (int r = 0; r < rows; r++) {
      long at = 4L * r * n;
      long m = mean + 4L * r;
      long s = rstd + 4L * r;
      moments(x + at, epsilon, m, s, n);
      normalize(x + at, get(m), get(s), gamma, beta, y + at, n);
    }
  }

  void normalize(long x, float mean, float rstd, long gamma, long beta, long y, int n) {
    for (long i = 0, end = 4L * n; i < end; i += 4) {
      set(y + i, (get(x + i) - mean) * rstd * get(gamma + i) + get(beta + i));
    }
  }

  @Override
  public void normalizeBackward(
      long x,
      float mean,
      float rstd,
      long gamma,
      long dy,
      long dGamma,
      long dBeta,
      long sums,
      int n) {
    float sumQ = 0;
    float sumQx = 0;
    for (long i = 0, end = 4L * n; i < end; i += 4) {
      float d = get(dy + i);
      float xh = (get(x + i) - mean) * rstd;
      float q = d * get(gamma + i);
      sumQ += q;
      sumQx += q * xh;
      set(dGamma + i, get(dGamma + i) + d * xh);
      set(dBeta + i, get(dBeta + i) + d);
    }
    set(sums, sumQ);
    set(sums + 4, sumQx);
  }

  @Override
  public void writeInputGradient(
      long x, float mean, float rstd, long gamma, long dy, long sums, long dx, int n) {
    Means means = new Means(get(sums) / n, get(sums + 4) / n);
    inputGradient(x, mean, rstd, gamma, dy, means, dx, false, n);
  }

  @Override
  public void addInputGradient(
      long x, float mean, float rstd, long gamma, long dy, long sums, long dx, int n) {
    Means means = new Means(get(sums) / n, get(sums + 4) / n);
    inputGradient(x, mean, rstd, gamma, dy, means, dx, true, n);
  }

  /** mean(q) and mean(q xh) of a row. */
  record Means(float q, float qx) {}

  void inputGradient(
      long x,
      float mean,
      float rstd,
      long gamma,
      long dy,
      Means means,
      long dx,
      boolean add,
      int n) {
    for (long i = 0, end = 4L * n; i < end; i += 4) {
      float xh = (get(x + i) - mean) * rstd;
      float g = rstd * (get(dy + i) * get(gamma + i) - means.q() - xh * means.qx());
      set(dx + i, add ? get(dx + i) + g : g);
    }
  }

  @Override
  public void gelu(long x, long y, int n) {
    for (long i = 0, end = 4L * n; i < end; i += 4) {
      set(y + i, FloatMath.gelu(get(x + i)));
    }
  }

  @Override
  public void geluDerivative(long x, long y, int n) {
    for (long i = 0, end = 4L * n; i < end; i += 4) {
      set(y + i, FloatMath.geluDerivative(get(x + i)));
    }
  }

  @Override
  public void multiply(long x, long y, int n) {
    for (long i = 0, end = 4L * n; i < end; i += 4) {
      set(y + i, get(y + i) * get(x + i));
    }
  }

  @Override
  public void relu(long x, long y, int n) {
    for (long i = 0, end = 4L * n; i < end; i += 4) {
      set(y + i, Math.max(get(x + i), 0f));
    }
  }

  @Override
  public void reluBackward(long y, long dy, long dx, int n) {
    for (long i = 0, end = 4L * n; i < end; i += 4) {
      set(dx + i, get(y + i) > 0 ? get(dy + i) : 0f);
    }
  }

  @Override
  public void softmaxBackward(long p, long s, float shift, float scale, int n) {
    for (long i = 0, end = 4L * n; i < end; i += 4) {
      set(s + i, get(p + i) * (get(s + i) - shift) * scale);
    }
  }

  @Override
  public float residual(long f, long h, float mean, float rstd, float scale, int n) {
    float s = 0;
    for (long i = 0, end = 4L * n; i < end; i += 4) {
      float d = get(f + i) - (get(h + i) - mean) * rstd;
      set(f + i, scale * d);
      s += d * d;
    }
    return s;
  }

  @Override
  public void adamw(long p, long g, long m, long v, int n, AdamFactors a) {
    for (long i = 0, end = 4L * n; i < end; i += 4) {
      float d = get(g + i) * a.gradientScale();
      float first = a.beta1() * get(m + i) + (1 - a.beta1()) * d;
      float second = a.beta2() * get(v + i) + (1 - a.beta2()) * d * d;
      set(m + i, first);
      set(v + i, second);
      float w = get(p + i);
      float root = (float) Math.sqrt(second) * a.rootScale() + a.epsilon();
      set(p + i, w - a.stepSize() * first / root - a.decay() * w);
    }
  }

  @Override
  public int panelWidth() {
    return PANEL;
  }

  @Override
  public void tile(
      long a,
      long rowStride,
      long columnStride,
      long panel,
      int panels,
      int k,
      long c,
      long cStride) {
    for (int p = 0; p < panels; p++) {
      long b = panel + 4L * PANEL * k * p;
      for (int i = 0; i < 6; i++) {
        long row = c + i * cStride + 4L * PANEL * p;
        RawMemory.zero(row, PANEL);
        for (int t = 0; t < k; t++) {
          addScaled(get(a + i * rowStride + t * columnStride), b + 4L * PANEL * t, row, PANEL);
        }
      }
    }
  }
}
