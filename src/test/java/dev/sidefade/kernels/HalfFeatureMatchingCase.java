package dev.sidefade.kernels;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.sidefade.tensor.Tensor;
import java.io.ByteArrayOutputStream;
import java.util.Random;

/** One shape of feature matching over half features, with NaN in the rows that do not count. */
final class HalfFeatureMatchingCase {
  private static final float WEIGHT = 0.7f;

  private final Device device;
  private final FeatureLab lab;
  private final int rows;
  private final int side;
  private final int rank;
  private final int base;
  private final boolean standardize;

  /** What is allowed beside the errors of F32 sums, of the largest element. */
  private final double rounding;

  private final float[] z;
  private final float[] down;
  private final float[] up;
  private final float[] h;

  private HalfFeatureMatchingCase(
      Device device,
      FeatureLab lab,
      int[] shape,
      boolean standardize,
      double rounding,
      float[][] values) {
    this.device = device;
    this.lab = lab;
    rows = shape[0];
    side = shape[1];
    rank = shape[2];
    base = shape[3];
    this.standardize = standardize;
    this.rounding = rounding;
    z = values[0];
    down = values[1];
    up = values[2];
    h = values[3];
  }

  /** Whole numbers so small, and so few that are not 0, that every factor fits the type. */
  static HalfFeatureMatchingCase wholeNumbers(
      Device device, FeatureLab lab, int rows, int side, int rank, int base) {
    Random random = new Random(rows * 31L + side * 7 + rank + base);
    double few = Math.min(1, 6.0 / side);
    float[][] values = {
      whole(random, rows * side, 1, 1),
      whole(random, side * rank, 1, few),
      whole(random, rank * base, 2, Math.min(1, 12.0 / rank)),
      whole(random, rows * base, 9, 1)
    };
    return new HalfFeatureMatchingCase(
        device, lab, new int[] {rows, side, rank, base}, false, 0, values);
  }

  private static float[] whole(Random random, int count, int most, double part) {
    float[] values = new float[count];
    for (int i = 0; i < count; i++) {
      values[i] = random.nextDouble() < part ? random.nextInt(2 * most + 1) - most : 0;
    }
    return values;
  }

  static HalfFeatureMatchingCase normal(
      Device device,
      FeatureLab lab,
      int rows,
      int side,
      int rank,
      int base,
      boolean standardize,
      double rounding) {
    float[][] values = {
      Data.normal(1, rows * side),
      Data.normal(2, side * rank, 1 / Math.sqrt(side)),
      Data.normal(3, rank * base, 1 / Math.sqrt(rank)),
      Data.normal(4, rows * base)
    };
    return new HalfFeatureMatchingCase(
        device, lab, new int[] {rows, side, rank, base}, standardize, rounding, values);
  }

  /** Once with all rows, once with some of them. */
  void run() {
    run(null);
    float[] v = Data.flags(rows + base, rows, 0.6);
    v[rows - 1] = 1;
    run(v);
  }

  private void run(float[] v) {
    String what =
        "featureMatching " + lab.dtype() + " " + rows + " rows " + side + "-" + rank + "-" + base;
    what += (v == null ? "" : " masked") + (standardize ? " standardized " : " ");
    float[] flags = v == null ? Data.filled(rows, 1) : v;
    var want =
        FeatureMatchingReference.run(
            Data.widen(z),
            Data.widen(down),
            Data.widen(up),
            lab.rounded(h),
            Data.widen(v),
            WEIGHT,
            standardize,
            rows,
            side,
            rank,
            base);
    float[] before = Data.normal(5, rows * side);
    Results got = match(v, flags, before);
    assertEquals(
        want.loss(),
        lab.read(got.loss)[0],
        (2 * Close.tolerance(base + rank + side) + rounding) * (want.loss() + 1e-3),
        what + "loss");
    double residual = 2 * WEIGHT * 4.0 / (base * Data.sum(Data.widen(flags)));
    near(what + "dDown", lab.read(got.dDown), want.dDown(), residual, 0);
    near(what + "dUp", lab.read(got.dUp), want.dUp(), residual, 0);
    double[] added = lab.read(got.dz);
    for (int i = 0; i < added.length; i++) {
      if (flags[i / side] == 0) {
        assertEquals(before[i], (float) added[i], what + "dz of a row that does not count");
      }
      added[i] -= before[i];
    }
    near(what + "dz", added, want.dz(), residual, 0x1p-22 * 5);
    lab.finish();
  }

  private record Results(Tensor loss, Tensor dz, Tensor dDown, Tensor dUp) {}

  private Results match(float[] v, float[] flags, float[] before) {
    Tensor dz = lab.outF32(rows, side);
    device.copy(lab.inF32(before, rows, side), dz);
    Results r = new Results(lab.outF32(1), dz, lab.outF32(side, rank), lab.outF32(rank, base));
    lab.kernels()
        .featureMatching(
            lab.inF32(Data.poison(z, side, flags, 0), rows, side),
            lab.inF32(down, side, rank),
            lab.inF32(up, rank, base),
            lab.in(Data.widen(Data.poison(h, base, flags, 0)), rows, base),
            v == null ? null : lab.inF32(v, rows),
            WEIGHT,
            standardize,
            r.loss,
            dz,
            r.dDown,
            r.dUp);
    return r;
  }

  /** All results over all rows. */
  byte[] bytes() {
    Results r = match(null, Data.filled(rows, 1), Data.normal(5, rows * side));
    return joined(lab, r.loss, r.dz, r.dDown, r.dUp);
  }

  /** The bytes of some tensors of the lab, whose work is then done. */
  static byte[] joined(FeatureLab lab, Tensor... tensors) {
    ByteArrayOutputStream all = new ByteArrayOutputStream();
    for (Tensor tensor : tensors) {
      all.writeBytes(lab.readBytes(tensor));
    }
    lab.finish();
    return all.toByteArray();
  }

  private void near(String what, double[] got, double[] want, double residual, double more) {
    double scale = Math.max(residual, Data.largest(want));
    double allowed = (2 * Close.tolerance(rows + base + rank) + rounding) * scale + more;
    for (int i = 0; i < got.length; i++) {
      assertEquals(want[i], got[i], allowed, what + "[" + i + "] of " + got.length);
    }
  }
}
