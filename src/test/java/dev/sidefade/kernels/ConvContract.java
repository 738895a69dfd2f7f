package dev.sidefade.kernels;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.sidefade.tensor.Tensor;
import org.junit.jupiter.api.Test;

/** {@link Kernels#conv3x3} and its gradients; the prefix rows of every input are NaN. */
public interface ConvContract extends KernelContract {

  @Test
  default void convMatchesReferenceOnOddShapes() {
    int[][] channels = {{1, 1}, {3, 2}, {8, 8}, {16, 31}, {33, 16}, {32, 32}};
    try (Lab lab = new Lab(open())) {
      for (int[] grid : Shapes.GRIDS) {
        for (int prefix = 0; prefix < 3; prefix++) {
          for (int batch : new int[] {1, 3}) {
            for (int[] c : channels) {
              TokenLayout layout =
                  new TokenLayout(batch, prefix + grid[0] * grid[1], prefix, grid[0], grid[1]);
              run(lab, layout, c[0], c[1], batch == 1);
            }
          }
        }
      }
    }
  }

  private static void run(Lab lab, TokenLayout layout, int in, int out, boolean withDx) {
    String what = "conv3x3 " + layout + " " + in + "-" + out + " ";
    int rows = layout.rows();
    float[] prefix = Data.prefixFlags(layout);
    float[] x = Data.normal(1, rows * in);
    float[] weight = Data.normal(2, 9 * in * out);
    float[] bias = Data.normal(3, out);
    float[] dy = Data.normal(4, rows * out);
    Tensor tx = lab.in(Data.poison(x, in, prefix, 1), rows, in);
    Tensor tw = lab.in(weight, 9 * in, out);
    Tensor y = lab.out(rows, out);
    lab.kernels().conv3x3(tx, layout, tw, lab.in(bias, out), y);
    double[] wide = Data.widen(x);
    double[] wideWeight = Data.widen(weight);
    float[] got = lab.read(y);
    Close.near(
        what + "y",
        got,
        ConvReference.forward(wide, layout, wideWeight, Data.widen(bias), in, out),
        9L * in);
    for (int i = 0; i < got.length; i++) {
      assertEquals(true, prefix[i / out] == 0 || got[i] == 0, what + "prefix rows are 0");
    }
    Tensor dx = withDx ? lab.out(rows, in) : null;
    Tensor dWeight = lab.out(9 * in, out);
    Tensor dBias = lab.out(out);
    Tensor td = lab.in(Data.poison(dy, out, prefix, 1), rows, out);
    lab.kernels().conv3x3Backward(tx, layout, tw, td, dx, dWeight, dBias);
    var want = ConvReference.backward(wide, layout, wideWeight, Data.widen(dy), in, out);
    Close.near(what + "dWeight", lab.read(dWeight), want.dWeight(), rows);
    Close.near(what + "dBias", lab.read(dBias), want.dBias(), rows);
    if (withDx) {
      Close.near(what + "dx", lab.read(dx), want.dx(), 9L * out);
    }
    lab.finish();
  }

  @Test
  default void convRefusesASequence() {
    TokenLayout sequence = new TokenLayout(1, 4, 0, 0, 0);
    try (Lab lab = new Lab(open())) {
      Tensor x = lab.in(new float[8], 4, 2);
      Tensor weight = lab.in(new float[36], 18, 2);
      Tensor bias = lab.in(new float[2], 2);
      Tensor y = lab.out(4, 2);
      assertThrows(
          IllegalArgumentException.class,
          () -> lab.kernels().conv3x3(x, sequence, weight, bias, y));
    }
  }

  /** More neighbourhoods than a device gathers at once. */
  @Test
  default void convMatchesReferenceOnManySamples() {
    TokenLayout layout = new TokenLayout(80, 197, 1, 14, 14);
    int in = 128;
    int out = 2;
    int rows = layout.rows();
    float[] prefix = Data.prefixFlags(layout);
    float[] x = Data.normal(1, rows * in);
    float[] weight = Data.normal(2, 9 * in * out);
    float[] bias = Data.normal(3, out);
    float[] dy = Data.normal(4, rows * out);
    try (Lab lab = new Lab(open())) {
      Tensor source = lab.in(Data.poison(x, in, prefix, 1), rows, in);
      Tensor w = lab.in(weight, 9 * in, out);
      Tensor y = lab.out(rows, out);
      lab.kernels().conv3x3(source, layout, w, lab.in(bias, out), y);
      double[] wideX = Data.widen(x);
      double[] wideW = Data.widen(weight);
      double[] want = ConvReference.forward(wideX, layout, wideW, Data.widen(bias), in, out);
      Close.near("y", lab.read(y), want, 9L * in);
      Tensor dx = lab.out(rows, in);
      Tensor dWeight = lab.out(9 * in, out);
      Tensor dBias = lab.out(out);
      Tensor gradient = lab.in(Data.poison(dy, out, prefix, 1), rows, out);
      lab.kernels().conv3x3Backward(source, layout, w, gradient, dx, dWeight, dBias);
      var wanted = ConvReference.backward(wideX, layout, wideW, Data.widen(dy), in, out);
      Close.near("dWeight", lab.read(dWeight), wanted.dWeight(), rows);
      Close.near("dBias", lab.read(dBias), wanted.dBias(), rows);
      Close.near("dx", lab.read(dx), wanted.dx(), 9L * out);
    }
  }
}
