package dev.sidefade.kernels;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import dev.sidefade.tensor.DType;
import dev.sidefade.tensor.Tensor;
import org.junit.jupiter.api.Test;

/**
 * The ladder over F16 and BF16 features, for backends that take them. References are in F64 on the
 * rounded features.
 */
public interface HalfLadderContract extends KernelContract {

  /** Rows, width of the backbone, width of the side network. */
  private static int[][] shapes() {
    return new int[][] {
      {1, 1, 1},
      {17, 1, 96},
      {130, 1, 3},
      {1, 33, 48},
      {197, 33, 3},
      {300, 33, 1},
      {130, 33, 96},
      {33, 768, 1},
      {64, 768, 3},
      {70, 768, 48},
      {150, 768, 96},
      {1300, 40, 16},
      {5000, 8, 5},
      {257, 136, 130},
      {65, 200, 200}
    };
  }

  private static DType[] types() {
    return new DType[] {DType.F16, DType.BF16};
  }

  /** Weights that the features' type can hold leave nothing but F32 sums to differ. */
  @Test
  default void halfLadderProjectsRoundedWeightsAsF32Does() {
    Device device = open();
    try (Lab lab = new Lab(device)) {
      for (DType dtype : types()) {
        for (int[] shape : shapes()) {
          for (HalfLadderCase.Rows rows : HalfLadderCase.Rows.values()) {
            HalfLadderCase one = new HalfLadderCase(lab, device, dtype, shape, rows);
            one.roundWeight();
            one.project(8, 0);
          }
        }
      }
    }
  }

  /** Any weight: it may be rounded to the features' type. */
  @Test
  default void halfLadderProjectsAnyWeightToThePrecisionOfTheFeatures() {
    Device device = open();
    try (Lab lab = new Lab(device)) {
      for (DType dtype : types()) {
        for (int[] shape : shapes()) {
          new HalfLadderCase(lab, device, dtype, shape, HalfLadderCase.Rows.SOME)
              .project(8, rounding(dtype));
        }
      }
    }
  }

  /**
   * For sums of terms with a factor that was rounded to the type: eight standard deviations, that
   * of a rounding being half its bound.
   */
  private static double rounding(DType dtype) {
    return 4 * unit(dtype);
  }

  /** Largest relative error of a value rounded to the type. */
  private static double unit(DType dtype) {
    return dtype == DType.F16 ? 0x1p-11 : 0x1p-8;
  }

  /** Gradients are F32 of any size: they may not be rounded as features are. */
  @Test
  default void halfLadderKeepsThePrecisionOfGradients() {
    float[] sizes = {1, 1e-9f, 3e7f};
    int next = 0;
    Device device = open();
    try (Lab lab = new Lab(device)) {
      for (DType dtype : types()) {
        for (int[] shape : shapes()) {
          for (HalfLadderCase.Rows rows : HalfLadderCase.Rows.values()) {
            float size = sizes[next++ % sizes.length];
            new HalfLadderCase(lab, device, dtype, shape, rows)
                .backward(8, size, roundingOfTwo(dtype));
          }
        }
      }
    }
  }

  /**
   * As {@link #rounding}, for a factor of two terms of the type, the second a rest of the first.
   */
  private static double roundingOfTwo(DType dtype) {
    return 4 * unit(dtype) * unit(dtype);
  }

  @Test
  default void halfLadderGivesTheSameBitsFromAnyAddress() {
    Device device = open();
    try (Lab lab = new Lab(device)) {
      for (DType dtype : types()) {
        for (int[] shape : new int[][] {{130, 72, 33}, {65, 64, 96}, {33, 33, 3}}) {
          HalfLadderCase one =
              new HalfLadderCase(lab, device, dtype, shape, HalfLadderCase.Rows.SOME);
          int[] u = one.project(8, rounding(dtype));
          int[] dWeight = one.backward(8, 1, roundingOfTwo(dtype));
          for (int lead : new int[] {8, 1, 2, 4, 7}) {
            String what = one + " at element " + lead;
            assertArrayEquals(u, one.project(lead, rounding(dtype)), what);
            assertArrayEquals(dWeight, one.backward(lead, 1, roundingOfTwo(dtype)), what);
          }
        }
      }
    }
  }

  /** A gradient that is not finite must be seen in the sums, so that the step can be left out. */
  @Test
  default void halfLadderPassesOnGradientsThatAreNotFinite() {
    int rows = 40;
    int base = 24;
    int side = 5;
    Device device = open();
    try (Lab lab = new Lab(device)) {
      for (DType dtype : types()) {
        for (float bad : new float[] {Float.NaN, Float.NEGATIVE_INFINITY}) {
          float[] du = Data.normal(1, rows * side);
          du[17 * side + 3] = bad;
          Tensor dWeight = lab.out(base, side);
          Tensor dBias = lab.out(side);
          try (HalfTensors halves = new HalfTensors(device)) {
            Tensor h = halves.in(dtype, Data.normal(2, rows * base), 8, rows, base);
            lab.kernels().ladderProjectBackward(h, lab.in(du, rows, side), null, dWeight, dBias);
          }
          float[] got = lab.read(dWeight);
          for (int i = 0; i < got.length; i++) {
            assertEquals(i % side != 3, Float.isFinite(got[i]), dtype + " dWeight[" + i + "]");
          }
          assertFalse(Float.isFinite(lab.read(dBias)[3]), dtype + " dBias");
          lab.finish();
        }
      }
    }
  }
}
