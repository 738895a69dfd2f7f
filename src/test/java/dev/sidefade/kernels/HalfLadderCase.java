package dev.sidefade.kernels;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.fail;

import dev.sidefade.tensor.DType;
import dev.sidefade.tensor.Tensor;
import java.util.Arrays;

/** One shape of the ladder's projection over half features, with NaN in rows that count nothing. */
final class HalfLadderCase {
  /** Which rows are projected. */
  enum Rows {
    /** All, by null. */
    ALL,
    SOME,
    NONE
  }

  private final Lab lab;
  private final Device device;
  private final DType dtype;
  private final int rows;
  private final int base;
  private final int side;
  private final Rows which;
  private final float[] c;
  private final boolean[] used;
  private final float[] h;
  private final float[] weight;
  private final float[] bias;

  HalfLadderCase(Lab lab, Device device, DType dtype, int[] shape, Rows which) {
    this.lab = lab;
    this.device = device;
    this.dtype = dtype;
    rows = shape[0];
    base = shape[1];
    side = shape[2];
    this.which = which;
    c = which == Rows.NONE ? new float[rows] : Data.coefficients(rows + base, rows);
    used = new boolean[rows];
    h = HalfTensors.round(dtype, Data.normal(1, rows * base));
    weight = Data.normal(2, base * side);
    bias = Data.normal(3, side);
    for (int r = 0; r < rows; r++) {
      used[r] = which == Rows.ALL || c[r] != 0;
      if (!used[r]) {
        Arrays.fill(h, r * base, (r + 1) * base, Float.NaN);
      }
    }
  }

  void roundWeight() {
    System.arraycopy(HalfTensors.round(dtype, weight), 0, weight, 0, weight.length);
  }

  /**
   * Bits of u, with features at element {@code lead} of an aligned address.
   *
   * @param tolerance what is allowed beside the errors of F32 sums
   */
  int[] project(int lead, double tolerance) {
    Tensor u = lab.out(rows, side);
    try (HalfTensors halves = new HalfTensors(device)) {
      lab.kernels()
          .ladderProject(
              halves.in(dtype, h, lead, rows, base),
              lab.in(weight, base, side),
              lab.in(bias, side),
              coefficients(),
              u);
    }
    float[] got = lab.read(u);
    int[] bits = lab.readBits(u);
    for (int i = 0; i < got.length; i++) {
      int row = i / side;
      if (!used[row]) {
        assertEquals(Lab.SENTINEL, bits[i], this + " u[" + i + "] is not to be written");
        continue;
      }
      double want = bias[i % side];
      for (int k = 0; k < base; k++) {
        want += (double) h[row * base + k] * weight[k * side + i % side];
      }
      near(" u", i, got[i], want, Math.sqrt(base + 1), tolerance + Close.tolerance(base));
    }
    lab.finish();
    return bits;
  }

  /** Bits of dWeight, with gradients of magnitude {@code size}; tolerance as above. */
  int[] backward(int lead, float size, double tolerance) {
    float[] du = Data.normal(4, rows * side, size);
    int count = 0;
    for (int r = 0; r < rows; r++) {
      count += used[r] ? 1 : 0;
      if (!used[r]) {
        Arrays.fill(du, r * side, (r + 1) * side, Float.NaN);
      }
    }
    Tensor dWeight = lab.out(base, side);
    Tensor dBias = lab.out(side);
    try (HalfTensors halves = new HalfTensors(device)) {
      lab.kernels()
          .ladderProjectBackward(
              halves.in(dtype, h, lead, rows, base),
              lab.in(du, rows, side),
              coefficients(),
              dWeight,
              dBias);
    }
    double scale = size * Math.sqrt(Math.max(1, count));
    double[] want = new double[base * side];
    double[] wantBias = new double[side];
    for (int r = 0; r < rows; r++) {
      for (int n = 0; used[r] && n < side; n++) {
        double d = du[r * side + n];
        wantBias[n] += d;
        for (int k = 0; k < base; k++) {
          want[k * side + n] += h[r * base + k] * d;
        }
      }
    }
    near(" dWeight", lab.read(dWeight), want, scale, tolerance + Close.tolerance(rows));
    near(" dBias", lab.read(dBias), wantBias, scale, Close.tolerance(rows));
    int[] bits = lab.readBits(dWeight);
    lab.finish();
    return bits;
  }

  private Tensor coefficients() {
    return which == Rows.ALL ? null : lab.in(c, rows);
  }

  private void near(String what, float[] got, double[] want, double scale, double tolerance) {
    for (int i = 0; i < want.length; i++) {
      near(what, i, got[i], want[i], scale, tolerance);
    }
  }

  /**
   * Within {@code tolerance} of what was expected (relative) and of {@code scale}, the size of a
   * sum of so many random terms (absolute): a sum that is small by chance has the errors of its
   * terms, too.
   */
  private void near(String what, int i, float got, double want, double scale, double tolerance) {
    double allowed = tolerance * (scale + Math.abs(want));
    if (!(Math.abs(got - want) <= allowed)) {
      fail(this + what + "[" + i + "]: expected " + want + ", got " + got + ", allowed " + allowed);
    }
  }

  @Override
  public String toString() {
    return dtype + " " + rows + "x" + base + "x" + side + " " + which;
  }
}
