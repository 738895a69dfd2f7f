package dev.sidefade.kernels;

import dev.sidefade.tensor.Tensor;
import org.junit.jupiter.api.Test;

/** {@link Kernels#layerNorm} and its gradients. */
public interface LayerNormContract extends KernelContract {

  @Test
  default void layerNormMatchesReferenceOnOddShapes() {
    try (Lab lab = new Lab(open())) {
      for (int rows : Shapes.ROWS) {
        for (int width : Shapes.WIDTHS) {
          layerNorm(
              lab, Data.normal(1, rows * width), rows, width, width % 2 == 0 ? 1e-6f : 1e-12f);
        }
      }
      layerNorm(lab, Data.normal(1, 33 * 768), 33, 768, 1e-6f);
    }
  }

  private static void layerNorm(Lab lab, float[] x, int rows, int width, float epsilon) {
    String what = "layerNorm " + rows + "x" + width + " ";
    float[] gamma = Data.normal(2, width);
    float[] beta = Data.normal(3, width);
    Tensor tx = lab.in(x, rows, width);
    Tensor tg = lab.in(gamma, width);
    Tensor y = lab.out(rows, width);
    Tensor mean = lab.out(rows);
    Tensor rstd = lab.out(rows);
    lab.kernels().layerNorm(tx, tg, lab.in(beta, width), epsilon, y, mean, rstd);
    double[] wide = Data.widen(x);
    var want =
        LayerNormReference.forward(wide, Data.widen(gamma), Data.widen(beta), epsilon, width);
    if (width > 1) {
      // of two values that nearly agree only the difference's relative error counts: scale by rstd
      double scale = Math.max(1, 4 * Data.largest(want.y()));
      Close.near(what + "y", lab.read(y), want.y(), width, scale * conditioning(want.rstd()));
      Close.near(what + "rstd", lab.read(rstd), want.rstd(), width);
    } else {
      Close.near(what + "y", lab.read(y), want.y(), 1);
    }
    Close.near(what + "mean", lab.read(mean), want.mean(), width, Math.max(1, Data.largest(wide)));
    backward(lab, what, tx, tg, wide, Data.widen(gamma), want, rows, width);
    lab.finish();
  }

  /**
   * Rounding of the mean is amplified by rstd; rows of random numbers have rstd near 1, short rows
   * may not.
   */
  private static double conditioning(double[] rstd) {
    return Math.max(1, Data.largest(rstd));
  }

  private static void backward(
      Lab lab,
      String what,
      Tensor x,
      Tensor gamma,
      double[] wide,
      double[] wideGamma,
      LayerNormReference.Forward forward,
      int rows,
      int width) {
    float[] mean = Data.narrow(forward.mean());
    float[] rstd = Data.narrow(forward.rstd());
    float[] dy = Data.normal(4, rows * width);
    float[] before = Data.normal(5, rows * width);
    Tensor tm = lab.in(mean, rows);
    Tensor tr = lab.in(rstd, rows);
    Tensor td = lab.in(dy, rows, width);
    // of the statistics that the kernel gets, not of those before rounding
    var want =
        LayerNormReference.backward(
            wide, wideGamma, Data.widen(mean), Data.widen(rstd), Data.widen(dy), width);
    double scale =
        4 * Data.largest(Data.widen(dy)) * Data.largest(wideGamma) * conditioning(forward.rstd());
    double[] added = want.dx().clone();
    for (int i = 0; i < added.length; i++) {
      added[i] += before[i];
    }
    for (int mode = 0; mode < 3; mode++) {
      Tensor dx =
          mode == 0 ? null : mode == 1 ? lab.out(rows, width) : lab.inOut(before, rows, width);
      Tensor dGamma = lab.out(width);
      Tensor dBeta = lab.out(width);
      lab.kernels().layerNormBackward(x, gamma, tm, tr, td, dx, mode == 2, dGamma, dBeta);
      Close.near(
          what + "dGamma",
          lab.read(dGamma),
          want.dGamma(),
          rows,
          4 * Math.max(1, Data.largest(want.dGamma())));
      Close.near(
          what + "dBeta",
          lab.read(dBeta),
          want.dBeta(),
          rows,
          4 * Math.max(1, Data.largest(want.dBeta())));
      if (mode > 0) {
        Close.near(
            what + "dx", lab.read(dx), mode == 1 ? want.dx() : added, width, Math.max(1, scale));
      }
    }
  }

  /** A mean far from 0 destroys a variance that is computed as E[x^2] - E[x]^2 in F32. */
  @Test
  default void layerNormKeepsTheVarianceOfValuesFarFromZero() {
    int rows = 9;
    int width = 96;
    float[] x = Data.normal(1, rows * width);
    for (int i = 0; i < x.length; i++) {
      x[i] += 1000;
    }
    try (Lab lab = new Lab(open())) {
      Tensor y = lab.out(rows, width);
      Tensor mean = lab.out(rows);
      Tensor rstd = lab.out(rows);
      Tensor ones = lab.in(Data.filled(width, 1), width);
      lab.kernels()
          .layerNorm(
              lab.in(x, rows, width), ones, lab.in(new float[width], width), 1e-6f, y, mean, rstd);
      double[] one = Data.widen(Data.filled(width, 1));
      var want = LayerNormReference.forward(Data.widen(x), one, new double[width], 1e-6f, width);
      // the mean itself rounds to 2^-14 here, which is what remains of y's accuracy
      Close.near("rstd", lab.read(rstd), want.rstd(), width, 10);
      Close.near("y", lab.read(y), want.y(), width, 100);
    }
  }

  @Test
  default void layerNormOfEqualValuesIsBeta() {
    int width = 33;
    float[] beta = Data.normal(3, width);
    try (Lab lab = new Lab(open())) {
      Tensor y = lab.out(2, width);
      Tensor mean = lab.out(2);
      Tensor rstd = lab.out(2);
      Tensor x = lab.in(new float[2 * width], 2, width);
      Tensor gamma = lab.in(Data.normal(2, width), width);
      lab.kernels().layerNorm(x, gamma, lab.in(beta, width), 1e-12f, y, mean, rstd);
      float[] got = lab.read(y);
      for (int i = 0; i < got.length; i++) {
        org.junit.jupiter.api.Assertions.assertEquals(beta[i % width], got[i]);
      }
      Close.near("rstd", lab.read(rstd), new double[] {1e6, 1e6}, 1);
      Tensor dx = lab.out(2, width);
      lab.kernels()
          .layerNormBackward(
              x,
              gamma,
              mean,
              rstd,
              lab.in(Data.normal(4, 2 * width), 2, width),
              dx,
              false,
              lab.out(width),
              lab.out(width));
      Close.finite("dx", lab.read(dx));
    }
  }
}
