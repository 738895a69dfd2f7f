package dev.sidefade.kernels;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.sidefade.tensor.DType;
import dev.sidefade.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/**
 * {@link Kernels#layerNorm}, {@link Kernels#pool} and their gradients on features of F16 and BF16,
 * for backends that compute on them; the references work in F64 on the rounded inputs. Rows of a
 * width that only backbones have are tried in F32, too.
 */
public interface HalfTokenContract extends KernelContract {
  /** Elements before a tensor: where 16 bytes can be moved at once, and where they cannot. */
  private static int[] leads() {
    return new int[] {16, 3};
  }

  @Test
  default void halfLayerNormMatchesReferenceOnOddShapes() {
    try (Device device = open()) {
      for (DType dtype : new DType[] {DType.F16, DType.BF16}) {
        for (int lead : leads()) {
          try (FeatureLab lab = new FeatureLab(device, dtype, lead)) {
            for (int rows : new int[] {1, 7, 65}) {
              for (int width : new int[] {3, 8, 31, 33, 96, 128, 256, 264, 768, 1001}) {
                layerNorm(lab, rows, width);
              }
            }
          }
        }
      }
    }
  }

  @Test
  default void layerNormOfWideRows() {
    try (Device device = open()) {
      for (DType dtype : new DType[] {DType.F32, DType.F16, DType.BF16}) {
        for (int lead : leads()) {
          try (FeatureLab lab = new FeatureLab(device, dtype, lead)) {
            for (int width : new int[] {1024, 1025, 1280, 8193}) {
              layerNorm(lab, 2, width);
            }
            layerNorm(lab, 1, 8200);
            // the gradient's sums in two slots
            layerNorm(lab, 35, 1032);
          }
        }
      }
    }
  }

  private static void layerNorm(FeatureLab lab, int rows, int width) {
    String what = "layerNorm " + rows + "x" + width + " ";
    double[] x = lab.rounded(Data.normal(1, rows * width));
    float[] gamma = Data.normal(2, width);
    float[] beta = Data.normal(3, width);
    Tensor tx = lab.in(x, rows, width);
    Tensor tg = lab.inF32(gamma, width);
    Tensor y = lab.out(rows, width);
    Tensor mean = lab.outF32(rows);
    Tensor rstd = lab.outF32(rows);
    lab.kernels().layerNorm(tx, tg, lab.inF32(beta, width), 1e-6f, y, mean, rstd);
    var want = LayerNormReference.forward(x, Data.widen(gamma), Data.widen(beta), 1e-6f, width);
    double conditioning = Math.max(1, Data.largest(want.rstd()));
    lab.near(what + "y", y, want.y(), width, 4 * Data.largest(want.y()) * conditioning);
    lab.near(what + "mean", mean, want.mean(), width, Data.largest(x));
    lab.near(what + "rstd", rstd, want.rstd(), width, 1);
    layerNormBackward(lab, what, tx, tg, x, gamma, want, rows, width);
    lab.finish();
  }

  private static void layerNormBackward(
      FeatureLab lab,
      String what,
      Tensor tx,
      Tensor tg,
      double[] x,
      float[] gamma,
      LayerNormReference.Forward forward,
      int rows,
      int width) {
    float[] mean = Data.narrow(forward.mean());
    float[] rstd = Data.narrow(forward.rstd());
    double[] dy = lab.rounded(Data.normal(4, rows * width));
    double[] before = lab.rounded(Data.normal(5, rows * width));
    Tensor tm = lab.inF32(mean, rows);
    Tensor tr = lab.inF32(rstd, rows);
    Tensor td = lab.in(dy, rows, width);
    double[] wideGamma = Data.widen(gamma);
    var want =
        LayerNormReference.backward(x, wideGamma, Data.widen(mean), Data.widen(rstd), dy, width);
    double scale =
        4 * Data.largest(dy) * Data.largest(wideGamma) * Math.max(1, Data.largest(forward.rstd()));
    double[] added = want.dx().clone();
    for (int i = 0; i < added.length; i++) {
      added[i] += before[i];
    }
    for (int mode = 0; mode < 3; mode++) {
      Tensor dx =
          switch (mode) {
            case 0 -> null;
            case 1 -> lab.out(rows, width);
            default -> lab.inOut(before, rows, width);
          };
      Tensor dGamma = lab.outF32(width);
      Tensor dBeta = lab.outF32(width);
      lab.kernels().layerNormBackward(tx, tg, tm, tr, td, dx, mode == 2, dGamma, dBeta);
      lab.near(what + "dGamma", dGamma, want.dGamma(), rows, 4 * Data.largest(want.dGamma()));
      lab.near(what + "dBeta", dBeta, want.dBeta(), rows, 4 * Data.largest(want.dBeta()));
      if (mode > 0) {
        lab.near(what + "dx", dx, mode == 1 ? want.dx() : added, width, scale);
      }
    }
  }

  @Test
  default void halfPoolMatchesReferenceOnOddShapes() {
    try (Device device = open()) {
      for (DType dtype : new DType[] {DType.F16, DType.BF16}) {
        for (int lead : leads()) {
          try (FeatureLab lab = new FeatureLab(device, dtype, lead)) {
            for (Pooling pooling : Pooling.values()) {
              for (int tokens : new int[] {2, 17, 70}) {
                for (int width : new int[] {1, 3, 8, 33, 96, 264}) {
                  pool(lab, pooling, new TokenLayout(3, tokens, 1, 0, 0), width, false);
                  pool(lab, pooling, new TokenLayout(3, tokens, 1, 0, 0), width, true);
                }
              }
            }
          }
        }
      }
    }
  }

  private static void pool(
      FeatureLab lab, Pooling pooling, TokenLayout layout, int width, boolean padded) {
    String what = pooling + " " + layout.tokens() + " tokens, width " + width + " ";
    int rows = layout.rows();
    float[] valid = padded ? Data.validity(layout.tokens(), layout.batch(), layout.tokens()) : null;
    for (int row = 0; padded && row < rows; row++) {
      valid[row] = row % layout.tokens() <= layout.prefix() ? 1 : valid[row];
    }
    int pooledRows = pooling.rows(layout);
    int pooledWidth = width * pooling.parts();
    float[] x = Data.normal(1, rows * width);
    float[] dy = Data.normal(2, pooledRows * pooledWidth);
    if (padded) {
      x = Data.poison(x, width, valid, 0);
      dy = pooling == Pooling.TOKENS ? Data.poison(dy, width, valid, 0) : dy;
    }
    double[] wideX = lab.rounded(x);
    double[] wideDy = lab.rounded(dy);
    double[] wideValid = Data.widen(valid);
    Tensor tv = padded ? lab.inF32(valid, rows) : null;
    Tensor y = lab.out(pooledRows, pooledWidth);
    lab.kernels().pool(lab.in(wideX, rows, width), layout, pooling, tv, y);
    double[] want = PoolReference.forward(wideX, layout, pooling, wideValid, width);
    lab.near(what + "y", y, want, layout.tokens(), 1);
    Tensor dx = lab.out(rows, width);
    Tensor td = lab.in(wideDy, pooledRows, pooledWidth);
    lab.kernels().poolBackward(td, layout, pooling, tv, dx);
    double[] wantDx = PoolReference.backward(wideDy, layout, pooling, wideValid, width);
    lab.near(what + "dx", dx, wantDx, 1, 1);
    lab.finish();
  }

  @Test
  default void halfLayerNormAndPoolGiveTheSameBitsAtAnyElement() {
    try (Device device = open()) {
      for (DType dtype : new DType[] {DType.F16, DType.BF16}) {
        for (int width : new int[] {96, 1032}) {
          List<byte[]> aligned = bits(device, dtype, 16, width);
          for (int lead : new int[] {1, 2, 4, 8}) {
            List<byte[]> moved = bits(device, dtype, lead, width);
            for (int i = 0; i < aligned.size(); i++) {
              assertArrayEquals(
                  aligned.get(i),
                  moved.get(i),
                  dtype + ", width " + width + ": result " + i + " at element " + lead);
            }
          }
        }
      }
    }
  }

  private static List<byte[]> bits(Device device, DType dtype, int lead, int width) {
    int rows = 9;
    List<byte[]> results = new ArrayList<>();
    try (FeatureLab lab = new FeatureLab(device, dtype, lead)) {
      Tensor x = lab.in(lab.rounded(Data.normal(1, rows * width)), rows, width);
      Tensor dy = lab.in(lab.rounded(Data.normal(2, rows * width)), rows, width);
      Tensor gamma = lab.inF32(Data.normal(3, width), width);
      Tensor beta = lab.inF32(Data.normal(4, width), width);
      Tensor y = lab.out(rows, width);
      Tensor dx = lab.out(rows, width);
      Tensor mean = lab.outF32(rows);
      Tensor rstd = lab.outF32(rows);
      Tensor dGamma = lab.outF32(width);
      Tensor dBeta = lab.outF32(width);
      lab.kernels().layerNorm(x, gamma, beta, 1e-6f, y, mean, rstd);
      lab.kernels().layerNormBackward(x, gamma, mean, rstd, dy, dx, false, dGamma, dBeta);
      TokenLayout layout = new TokenLayout(1, rows, 1, 0, 0);
      Tensor pooled = lab.out(1, 2 * width);
      lab.kernels().pool(x, layout, Pooling.CLS_MEAN, null, pooled);
      Tensor spread = lab.out(rows, width);
      lab.kernels().poolBackward(pooled, layout, Pooling.CLS_MEAN, null, spread);
      for (Tensor t : List.of(y, dx, mean, rstd, dGamma, dBeta, pooled, spread)) {
        results.add(lab.readBytes(t));
      }
    }
    return results;
  }

  @Test
  default void layerNormAndPoolRefuseTensorsOfTwoTypes() {
    TokenLayout layout = new TokenLayout(1, 2, 0, 0, 0);
    try (Device device = open();
        FeatureLab half = new FeatureLab(device, DType.F16, 16);
        FeatureLab brain = new FeatureLab(device, DType.BF16, 16)) {
      Kernels kernels = device.kernels();
      Tensor x = half.out(2, 4);
      Tensor dx = half.out(2, 4);
      Tensor other = brain.out(2, 4);
      Tensor p = half.outF32(4);
      Tensor q = half.outF32(4);
      Tensor s = half.outF32(2);
      Tensor t = half.outF32(2);
      refused(() -> kernels.layerNorm(x, p, p, 1e-6f, other, s, t));
      refused(() -> kernels.layerNormBackward(x, p, s, t, other, null, false, p, q));
      refused(() -> kernels.layerNormBackward(x, p, s, t, dx, other, false, p, q));
      refused(() -> kernels.layerNorm(x, half.out(4), p, 1e-6f, dx, s, t));
      refused(() -> kernels.pool(x, layout, Pooling.TOKENS, null, other));
      refused(() -> kernels.poolBackward(other, layout, Pooling.TOKENS, null, x));
    }
  }

  private static void refused(Runnable call) {
    assertThrows(IllegalArgumentException.class, call::run);
  }
}
