package dev.sidefade.kernels;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.sidefade.tensor.Tensor;

/** One shape of feature matching. */
final class FeatureMatchingCase {
  private final Lab lab;
  private final int rows;
  private final int side;
  private final int rank;
  private final int base;
  private final boolean masked;
  private final boolean standardize;

  FeatureMatchingCase(
      Lab lab, int rows, int side, int rank, int base, boolean masked, boolean standardize) {
    this.lab = lab;
    this.rows = rows;
    this.side = side;
    this.rank = rank;
    this.base = base;
    this.masked = masked;
    this.standardize = standardize;
  }

  void run() {
    String what =
        "featureMatching "
            + rows
            + " rows "
            + side
            + "-"
            + rank
            + "-"
            + base
            + (masked ? " masked" : "")
            + (standardize ? " standardized " : " ");
    float weight = 0.7f;
    float[] z = Data.normal(1, rows * side);
    float[] down = Data.normal(2, side * rank, 1 / Math.sqrt(side));
    float[] up = Data.normal(3, rank * base, 1 / Math.sqrt(rank));
    float[] h = Data.normal(4, rows * base);
    float[] v = masked ? Data.flags(rows + base, rows, 0.6) : null;
    if (masked) {
      v[rows - 1] = 1;
    }
    float[] flags = masked ? v : Data.filled(rows, 1);
    float[] before = Data.normal(5, rows * side);
    var want =
        FeatureMatchingReference.run(
            Data.widen(z),
            Data.widen(down),
            Data.widen(up),
            Data.widen(h),
            Data.widen(v),
            weight,
            standardize,
            rows,
            side,
            rank,
            base);

    Tensor loss = lab.out(1);
    Tensor dz = lab.inOut(before, rows, side);
    Tensor dDown = lab.out(side, rank);
    Tensor dUp = lab.out(rank, base);
    lab.kernels()
        .featureMatching(
            lab.in(Data.poison(z, side, flags, 0), rows, side),
            lab.in(down, side, rank),
            lab.in(up, rank, base),
            lab.in(Data.poison(h, base, flags, 0), rows, base),
            masked ? lab.in(v, rows) : null,
            weight,
            standardize,
            loss,
            dz,
            dDown,
            dUp);
    assertEquals(
        want.loss(),
        lab.read(loss)[0],
        2 * Close.tolerance(base + rank + side) * (want.loss() + 1e-3),
        what + "loss");
    // f - t is rounded to the size of f and t, whatever their difference
    double residual = 2 * weight * 4.0 / (base * Data.sum(Data.widen(flags)));
    near(what + "dDown", dDown, want.dDown(), residual);
    near(what + "dUp", dUp, want.dUp(), residual);
    float[] got = lab.read(dz);
    double[] sum = new double[got.length];
    for (int i = 0; i < sum.length; i++) {
      sum[i] = before[i] + want.dz()[i];
      if (flags[i / side] == 0) {
        assertEquals(before[i], got[i], what + "dz of a row that does not count");
      }
    }
    Close.near(what + "dz", got, sum, base);
    differenceOfDz(what, got, before, want.dz(), residual);
    lab.finish();
  }

  /**
   * Against a dz that starts at values of about 1 a small gradient could be wrong unnoticed: look
   * at it alone.
   */
  private void differenceOfDz(
      String what, float[] got, float[] before, double[] want, double residual) {
    double allowed =
        Close.tolerance(base + rank) * 2 * Math.max(residual, Data.largest(want)) + 0x1p-22 * 5;
    for (int i = 0; i < got.length; i++) {
      assertEquals(want[i], (double) got[i] - before[i], allowed, what + "dz added [" + i + "]");
    }
  }

  private void near(String what, Tensor got, double[] want, double residual) {
    Close.near(what, lab.read(got), want, rows + base, 2 * Math.max(residual, Data.largest(want)));
  }
}
