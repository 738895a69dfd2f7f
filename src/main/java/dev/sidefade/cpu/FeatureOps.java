package dev.sidefade.cpu;

import dev.sidefade.tensor.Tensor;

/** Low-rank alignment and squared error against the backbone's features, with all gradients. */
final class FeatureOps {
  /** Variance floor of the target's parameter-free layer norm. */
  private static final float STANDARDIZE_EPSILON = 1e-6f;

  private final Context context;
  private final LinearOps linear;

  FeatureOps(Context context, LinearOps linear) {
    this.context = context;
    this.linear = linear;
  }

  void matching(
      Tensor z,
      Tensor down,
      Tensor up,
      Tensor h,
      Tensor v,
      float weight,
      boolean standardize,
      Tensor loss,
      Tensor dz,
      Tensor dDown,
      Tensor dUp) {
    int rows = Checks.rows(z);
    int side = Checks.width(z);
    int rank = Checks.width(down);
    int wide = Checks.width(h);
    long state = Checks.matrix("z of featureMatching", z, rows, side);
    long target = Checks.matrix("h of featureMatching", h, rows, wide);
    long toZ = Checks.matrix("dz of featureMatching", dz, rows, side);
    long counts = Checks.vectorOrNull("v of featureMatching", v, rows);
    Alignment a =
        new Alignment(
            Checks.exact("down of featureMatching", down, side, rank),
            Checks.exact("up of featureMatching", up, rank, wide),
            Checks.exact("dDown of featureMatching", dDown, side, rank),
            Checks.exact("dUp of featureMatching", dUp, rank, wide),
            side,
            rank,
            wide);
    long lossAt = Checks.vector("loss of featureMatching", loss, 1);
    Memory memory = context.memory();
    long mark = memory.mark();
    RowSelection counted = RowSelection.nonZero(counts, rows, memory);
    if (counted.count() == 0) {
      RawMemory.set(lossAt, 0);
      RawMemory.zero(a.dDown(), (long) side * rank);
      RawMemory.zero(a.dUp(), (long) rank * wide);
    } else {
      if (!counted.all()) {
        state = counted.gather(state, side, memory);
      }
      float normalizer = 1f / ((float) wide * counted.count());
      long dState = memory.take((long) counted.count() * side);
      double squares =
          solve(state, target, counted, a, 2 * weight * normalizer, standardize, dState);
      RawMemory.set(lossAt, (float) (squares * weight * normalizer));
      addRows(dState, counted, toZ, side);
    }
    memory.release(mark);
  }

  /** The alignment's matrices and their gradients: addresses and sizes. */
  private record Alignment(
      long down, long up, long dDown, long dUp, int side, int rank, int wide) {}

  /** Sum of squared residuals; writes all gradients, the one by the state in compact rows. */
  private double solve(
      long state,
      long target,
      RowSelection counted,
      Alignment a,
      float scale,
      boolean standardize,
      long dState) {
    Memory memory = context.memory();
    int n = counted.count();
    long e = memory.take((long) n * a.rank());
    long f = memory.take((long) n * a.wide());
    linear.multiply(state, false, a.down(), false, 0, e, n, a.rank(), a.side());
    linear.multiply(e, false, a.up(), false, 0, f, n, a.wide(), a.rank());
    double squares = residuals(f, target, counted, a.wide(), scale, standardize);
    linear.multiply(e, true, f, false, 0, a.dUp(), a.rank(), a.wide(), n);
    // e is not needed any more: its gradient takes its place
    linear.multiply(f, false, a.up(), true, 0, e, n, a.rank(), a.wide());
    linear.multiply(state, true, e, false, 0, a.dDown(), a.side(), a.rank(), n);
    linear.multiply(e, false, a.down(), true, 0, dState, n, a.side(), a.rank());
    return squares;
  }

  /** f = scale (f - t(h)) over compact rows of f; returns the sum of squares of f - t(h). */
  private double residuals(
      long f, long h, RowSelection counted, int wide, float scale, boolean standardize) {
    Memory memory = context.memory();
    RowMath math = context.rows();
    int n = counted.count();
    long perRow = memory.take(n);
    long moments = memory.take(2L * n);
    context.overRows(
        n,
        (from, to) -> {
          for (int i = from; i < to; i++) {
            long row = h + 4L * counted.row(i) * wide;
            float mean = 0;
            float rstd = 1;
            if (standardize) {
              long at = moments + 8L * i;
              math.moments(row, STANDARDIZE_EPSILON, at, at + 4, wide);
              mean = RawMemory.get(at);
              rstd = RawMemory.get(at + 4);
            }
            RawMemory.set(
                perRow + 4L * i, math.residual(f + 4L * i * wide, row, mean, rstd, scale, wide));
          }
        });
    double sum = 0;
    for (int i = 0; i < n; i++) {
      sum += RawMemory.get(perRow + 4L * i);
    }
    return sum;
  }

  private void addRows(long compact, RowSelection counted, long to, int width) {
    for (int i = 0; i < counted.count(); i++) {
      context.rows().add(compact + 4L * i * width, to + 4L * counted.row(i) * width, width);
    }
  }
}
