package dev.sidefade.kernels;

import dev.sidefade.tensor.Tensor;
import org.junit.jupiter.api.Test;

/**
 * {@link Kernels#gemm}, {@link Kernels#linear}, {@link Kernels#linearBackward}, {@link
 * Kernels#add}.
 */
public interface LinearContract extends KernelContract {

  @Test
  default void gemmMatchesReferenceForAllTransposes() {
    int[][] sizes = {
      {1, 1, 1},
      {1, 7, 1},
      {2, 3, 1},
      {7, 33, 3},
      {17, 16, 31},
      {31, 1, 33},
      {64, 96, 32},
      {33, 1000, 17},
      {197, 64, 128},
      {3, 768, 96},
      {130, 5, 130}
    };
    try (Lab lab = new Lab(open())) {
      for (int[] s : sizes) {
        for (int transposes = 0; transposes < 4; transposes++) {
          gemm(lab, s[0], s[1], s[2], (transposes & 1) != 0, (transposes & 2) != 0);
        }
      }
    }
  }

  private static void gemm(Lab lab, int m, int k, int n, boolean ta, boolean tb) {
    float[] a = Data.normal(m, m * k);
    float[] b = Data.normal(n, k * n);
    Tensor c = lab.out(m, n);
    lab.kernels()
        .gemm(
            ta ? lab.in(a, k, m) : lab.in(a, m, k),
            ta,
            tb ? lab.in(b, n, k) : lab.in(b, k, n),
            tb,
            c);
    Close.near(
        "gemm " + m + "x" + k + "x" + n + (ta ? " a'" : "") + (tb ? " b'" : ""),
        lab.read(c),
        LinearReference.gemm(Data.widen(a), ta, Data.widen(b), tb, m, k, n),
        k);
    lab.finish();
  }

  @Test
  default void linearAndItsGradientsMatchReferenceOnOddShapes() {
    try (Lab lab = new Lab(open())) {
      for (int rows : Shapes.ROWS) {
        for (int in : Shapes.WIDTHS) {
          for (int out : Shapes.WIDTHS) {
            // the largest sizes in one combination of widths each, the others in all
            if (rows <= 17 || in * out <= 512 || in == 33 && out == 128 || in == 96 && out == 31) {
              linear(lab, rows, in, out, (in + out) % 3 != 0);
            }
          }
        }
      }
      linear(lab, 197, 768, 96, true);
      linear(lab, 64, 96, 1000, true);
    }
  }

  private static void linear(Lab lab, int rows, int in, int out, boolean complete) {
    String what = "linear " + rows + "x" + in + "x" + out + " ";
    float[] x = Data.normal(1, rows * in);
    float[] weight = Data.normal(2, in * out);
    float[] bias = complete ? Data.normal(3, out) : null;
    float[] dy = Data.normal(4, rows * out);
    Tensor tx = lab.in(x, rows, in);
    Tensor tw = lab.in(weight, in, out);
    Tensor y = lab.out(rows, out);
    lab.kernels().linear(tx, tw, complete ? lab.in(bias, out) : null, y);
    double[] wide = Data.widen(x);
    double[] wideWeight = Data.widen(weight);
    Close.near(
        what + "y",
        lab.read(y),
        LinearReference.linear(wide, wideWeight, Data.widen(bias), rows, in, out),
        in);

    Tensor dx = complete ? lab.out(rows, in) : null;
    Tensor dWeight = lab.out(in, out);
    Tensor dBias = complete ? lab.out(out) : null;
    lab.kernels().linearBackward(tx, tw, lab.in(dy, rows, out), dx, dWeight, dBias);
    var want = LinearReference.backward(wide, wideWeight, Data.widen(dy), rows, in, out);
    Close.near(what + "dWeight", lab.read(dWeight), want.dWeight(), rows);
    if (complete) {
      Close.near(what + "dx", lab.read(dx), want.dx(), out);
      Close.near(what + "dBias", lab.read(dBias), want.dBias(), rows);
    }
    lab.finish();
  }

  @Test
  default void linearTakesLeadingDimensionsAsRows() {
    float[] x = Data.normal(1, 2 * 5 * 3);
    float[] weight = Data.normal(2, 3 * 4);
    try (Lab lab = new Lab(open())) {
      Tensor y = lab.out(2, 5, 4);
      lab.kernels().linear(lab.in(x, 2, 5, 3), lab.in(weight, 3, 4), null, y);
      double[] want = LinearReference.linear(Data.widen(x), Data.widen(weight), null, 10, 3, 4);
      Close.near("y", lab.read(y), want, 3);
    }
  }

  @Test
  default void linearCarriesNaNInsteadOfHidingIt() {
    float[] x = Data.normal(1, 5 * 8);
    x[2 * 8 + 3] = Float.NaN;
    float[] weight = new float[8 * 4];
    try (Lab lab = new Lab(open())) {
      Tensor y = lab.out(5, 4);
      lab.kernels().linear(lab.in(x, 5, 8), lab.in(weight, 8, 4), null, y);
      float[] got = lab.read(y);
      for (int i = 0; i < got.length; i++) {
        org.junit.jupiter.api.Assertions.assertEquals(
            i / 4 == 2, Float.isNaN(got[i]), "y[" + i + "]");
      }
    }
  }

  @Test
  default void addAdds() {
    try (Lab lab = new Lab(open())) {
      for (int count : new int[] {1, 3, 8, 31, 1000, 100_003}) {
        float[] x = Data.normal(1, count);
        float[] y = Data.normal(2, count);
        Tensor ty = lab.inOut(y, count);
        lab.kernels().add(lab.in(x, count), ty);
        float[] got = lab.read(ty);
        for (int i = 0; i < count; i++) {
          org.junit.jupiter.api.Assertions.assertEquals(x[i] + y[i], got[i], "y[" + i + "]");
        }
        lab.finish();
      }
    }
  }
}
