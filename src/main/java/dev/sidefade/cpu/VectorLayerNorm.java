package dev.sidefade.cpu;

import jdk.incubator.vector.FloatVector;

/**
 * Parts of {@link VectorRows#layerNorm} for four rows at once, {@code stride} bytes apart, of whole
 * vectors: the sums of one row wait for each other, those of four do not. Each part is small enough
 * to compile without boxing vectors; means and deviations pass through memory.
 */
final class VectorLayerNorm {
  private VectorLayerNorm() {}

  /** Adds in the order of {@link VectorRows#sum}. */
  static void means(long x, long stride, long mean, int n) {
    long end = 4L * n;
    long pairs = end - end % (2 * VectorRows.STEP);
    long x1 = x + stride;
    long x2 = x1 + stride;
    long x3 = x2 + stride;
    FloatVector s0 = FloatVector.zero(VectorRows.S);
    FloatVector s1 = s0;
    FloatVector s2 = s0;
    FloatVector s3 = s0;
    FloatVector t0 = s0;
    FloatVector t1 = s0;
    FloatVector t2 = s0;
    FloatVector t3 = s0;
    for (long i = 0; i < pairs; i += 2 * VectorRows.STEP) {
      s0 = s0.add(VectorRows.load(x + i));
      s1 = s1.add(VectorRows.load(x1 + i));
      s2 = s2.add(VectorRows.load(x2 + i));
      s3 = s3.add(VectorRows.load(x3 + i));
      t0 = t0.add(VectorRows.load(x + i + VectorRows.STEP));
      t1 = t1.add(VectorRows.load(x1 + i + VectorRows.STEP));
      t2 = t2.add(VectorRows.load(x2 + i + VectorRows.STEP));
      t3 = t3.add(VectorRows.load(x3 + i + VectorRows.STEP));
    }
    if (pairs < end) {
      s0 = s0.add(VectorRows.load(x + pairs));
      s1 = s1.add(VectorRows.load(x1 + pairs));
      s2 = s2.add(VectorRows.load(x2 + pairs));
      s3 = s3.add(VectorRows.load(x3 + pairs));
    }
    RawMemory.set(mean, VectorRows.total(s0.add(t0)) / n);
    RawMemory.set(mean + 4, VectorRows.total(s1.add(t1)) / n);
    RawMemory.set(mean + 8, VectorRows.total(s2.add(t2)) / n);
    RawMemory.set(mean + 12, VectorRows.total(s3.add(t3)) / n);
  }

  static void deviations(long x, long stride, long mean, float epsilon, long rstd, int n) {
    long x1 = x + stride;
    long x2 = x1 + stride;
    long x3 = x2 + stride;
    FloatVector m0 = VectorRows.broadcast(mean);
    FloatVector m1 = VectorRows.broadcast(mean + 4);
    FloatVector m2 = VectorRows.broadcast(mean + 8);
    FloatVector m3 = VectorRows.broadcast(mean + 12);
    FloatVector s0 = FloatVector.zero(VectorRows.S);
    FloatVector s1 = s0;
    FloatVector s2 = s0;
    FloatVector s3 = s0;
    for (long i = 0, end = 4L * n; i < end; i += VectorRows.STEP) {
      FloatVector d0 = VectorRows.load(x + i).sub(m0);
      FloatVector d1 = VectorRows.load(x1 + i).sub(m1);
      FloatVector d2 = VectorRows.load(x2 + i).sub(m2);
      FloatVector d3 = VectorRows.load(x3 + i).sub(m3);
      s0 = d0.fma(d0, s0);
      s1 = d1.fma(d1, s1);
      s2 = d2.fma(d2, s2);
      s3 = d3.fma(d3, s3);
    }
    VectorRows.setDeviation(VectorRows.total(s0), epsilon, rstd, n);
    VectorRows.setDeviation(VectorRows.total(s1), epsilon, rstd + 4, n);
    VectorRows.setDeviation(VectorRows.total(s2), epsilon, rstd + 8, n);
    VectorRows.setDeviation(VectorRows.total(s3), epsilon, rstd + 12, n);
  }

  static void normalize(long x, long stride, long mean, long rstd, long gamma, long beta, long y) {
    FloatVector m0 = VectorRows.broadcast(mean);
    FloatVector m1 = VectorRows.broadcast(mean + 4);
    FloatVector m2 = VectorRows.broadcast(mean + 8);
    FloatVector m3 = VectorRows.broadcast(mean + 12);
    FloatVector r0 = VectorRows.broadcast(rstd);
    FloatVector r1 = VectorRows.broadcast(rstd + 4);
    FloatVector r2 = VectorRows.broadcast(rstd + 8);
    FloatVector r3 = VectorRows.broadcast(rstd + 12);
    for (long i = 0; i < stride; i += VectorRows.STEP) {
      long i1 = i + stride;
      long i2 = i1 + stride;
      long i3 = i2 + stride;
      FloatVector g = VectorRows.load(gamma + i);
      FloatVector b = VectorRows.load(beta + i);
      VectorRows.store(VectorRows.load(x + i).sub(m0).mul(r0).fma(g, b), y + i);
      VectorRows.store(VectorRows.load(x + i1).sub(m1).mul(r1).fma(g, b), y + i1);
      VectorRows.store(VectorRows.load(x + i2).sub(m2).mul(r2).fma(g, b), y + i2);
      VectorRows.store(VectorRows.load(x + i3).sub(m3).mul(r3).fma(g, b), y + i3);
    }
  }
}
