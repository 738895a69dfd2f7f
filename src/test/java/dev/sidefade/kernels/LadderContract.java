package dev.sidefade.kernels;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.sidefade.tensor.Tensor;
import org.junit.jupiter.api.Test;

/** The ladder: coefficients, projection and mixing, with NaN wherever nothing may be read. */
public interface LadderContract extends KernelContract {

  @Test
  default void ladderCoefficientsMatchReference() {
    int[][] sizes = {{1, 1}, {3, 2}, {12, 197}, {7, 1000}, {2, 31}};
    try (Lab lab = new Lab(open())) {
      for (int[] size : sizes) {
        for (MaskPlacement placement : MaskPlacement.values()) {
          for (boolean masked : new boolean[] {false, true}) {
            coefficients(lab, size[0], size[1], placement, masked);
          }
        }
      }
    }
  }

  private static void coefficients(
      Lab lab, int taps, int rows, MaskPlacement placement, boolean masked) {
    String what = placement + " " + taps + "x" + rows + (masked ? " masked " : " ");
    float tau = 0.1f;
    float[] gates = Data.normal(1, taps, 0.1);
    gates[taps - 1] = taps > 1 ? 60 : 0;
    gates[0] = taps > 2 ? -60 : gates[0];
    float[] keep = masked ? Data.flags(2, rows, 0.5) : null;
    float[] dc = Data.normal(3, taps * rows);
    Tensor tg = lab.in(gates, taps);
    Tensor tk = masked ? lab.in(keep, rows) : null;
    Tensor c = lab.out(taps, rows);
    lab.kernels().ladderCoefficients(tg, tau, placement, tk, c);
    double[] want =
        LadderReference.coefficients(Data.widen(gates), tau, placement, Data.widen(keep), rows);
    float[] got = lab.read(c);
    Close.near(what + "c", got, want, 1);
    for (int i = 0; masked && i < got.length; i++) {
      if (keep[i % rows] == 0) {
        assertEquals(
            placement == MaskPlacement.STATE ? 1f : 0f, got[i], what + "masked rows are exact");
      }
    }
    Tensor dGates = lab.out(taps);
    lab.kernels()
        .ladderCoefficientsBackward(tg, tau, placement, tk, lab.in(dc, taps, rows), dGates);
    double[] wantGates =
        LadderReference.coefficientsBackward(
            Data.widen(gates), tau, Data.widen(keep), Data.widen(dc), rows);
    Close.near(what + "dGates", lab.read(dGates), wantGates, rows);
    lab.finish();
  }

  @Test
  default void ladderProjectsTheNeededRowsOnly() {
    try (Lab lab = new Lab(open())) {
      for (int rows : Shapes.ROWS) {
        for (int[] widths :
            new int[][] {{1, 1}, {3, 8}, {33, 16}, {128, 31}, {96, 33}, {768, 96}}) {
          for (int kind = 0; kind < 3 && (rows < 1000 || widths[0] < 768); kind++) {
            project(lab, rows, widths[0], widths[1], kind);
          }
        }
      }
    }
  }

  /** Kind 0: all rows by null; 1: some rows; 2: no row at all. */
  private static void project(Lab lab, int rows, int base, int side, int kind) {
    String what = "project " + rows + "x" + base + "x" + side + " kind " + kind + " ";
    float[] c = kind == 2 ? new float[rows] : Data.coefficients(rows + base, rows);
    float[] flags = kind == 0 ? Data.filled(rows, 1) : c;
    float[] h = Data.normal(1, rows * base);
    float[] weight = Data.normal(2, base * side);
    float[] bias = Data.normal(3, side);
    float[] du = Data.normal(4, rows * side);
    Tensor th = lab.in(Data.poison(h, base, flags, 0), rows, base);
    Tensor tc = kind == 0 ? null : lab.in(c, rows);
    Tensor u = lab.out(rows, side);
    lab.kernels().ladderProject(th, lab.in(weight, base, side), lab.in(bias, side), tc, u);
    double[] want =
        LinearReference.linear(
            Data.widen(h), Data.widen(weight), Data.widen(bias), rows, base, side);
    float[] used = new float[rows];
    for (int r = 0; r < rows; r++) {
      used[r] = flags[r] != 0 ? 1 : 0;
    }
    Close.nearRows(what + "u", lab.read(u), want, side, used, 1, base);
    int[] bits = lab.readBits(u);
    for (int i = 0; i < bits.length; i++) {
      if (used[i / side] == 0) {
        assertEquals(
            Lab.SENTINEL, bits[i], what + "u[" + i + "] is a row that is not to be written");
        du[i] = 0;
      }
    }
    Tensor dWeight = lab.out(base, side);
    Tensor dBias = lab.out(side);
    Tensor td = lab.in(Data.poison(du, side, used, 0), rows, side);
    lab.kernels().ladderProjectBackward(th, td, tc, dWeight, dBias);
    var gradients =
        LinearReference.backward(
            Data.widen(h), Data.widen(weight), Data.widen(du), rows, base, side);
    Close.near(what + "dWeight", lab.read(dWeight), gradients.dWeight(), rows);
    Close.near(what + "dBias", lab.read(dBias), gradients.dBias(), rows);
    lab.finish();
  }

  @Test
  default void ladderMixesWithoutReadingWhatHasNoWeight() {
    try (Lab lab = new Lab(open())) {
      for (int rows : Shapes.ROWS) {
        for (int width : Shapes.WIDTHS) {
          mix(lab, rows, width);
          mixBackward(lab, rows, width);
        }
      }
    }
  }

  private static void mix(Lab lab, int rows, int width) {
    String what = "mix " + rows + "x" + width + " ";
    float[] c = Data.coefficients(rows + width, rows);
    float[] z = Data.normal(1, rows * width);
    float[] u = Data.normal(2, rows * width);
    Tensor tz = lab.in(Data.poison(z, width, c, 1), rows, width);
    Tensor tu = lab.in(Data.poison(u, width, c, 0), rows, width);
    Tensor tc = lab.in(c, rows);
    Tensor x = lab.out(rows, width);
    lab.kernels().ladderMix(tz, tu, tc, x);
    float[] got = lab.read(x);
    Close.near(
        what, got, LadderReference.mix(Data.widen(z), Data.widen(u), Data.widen(c), width), 1);
    for (int i = 0; i < got.length; i++) {
      if (c[i / width] == 0 || c[i / width] == 1) {
        assertEquals(c[i / width] == 0 ? z[i] : u[i], got[i], what + "copies exactly");
      }
    }
    Tensor same = lab.inOut(Data.poison(z, width, c, 1), rows, width);
    lab.kernels().ladderMix(same, tu, tc, same);
    assertArrayEquals(got, lab.read(same), what + "in place");
    lab.finish();
  }

  private static void mixBackward(Lab lab, int rows, int width) {
    String what = "mixBackward " + rows + "x" + width + " ";
    float[] c = Data.coefficients(rows + width, rows);
    float[] z = Data.normal(1, rows * width);
    float[] u = Data.normal(2, rows * width);
    float[] dx = Data.normal(3, rows * width);
    // dc is 0 for c of 0 and of 1: neither z nor u has a use there
    Tensor tz = lab.in(Data.poison(Data.poison(z, width, c, 1), width, c, 0), rows, width);
    Tensor tu = lab.in(Data.poison(Data.poison(u, width, c, 0), width, c, 1), rows, width);
    Tensor tc = lab.in(c, rows);
    Tensor dz = lab.out(rows, width);
    Tensor du = lab.out(rows, width);
    Tensor dc = lab.out(rows);
    lab.kernels().ladderMixBackward(lab.in(dx, rows, width), tz, tu, tc, dz, du, dc);
    var want =
        LadderReference.mixBackward(
            Data.widen(dx), Data.widen(z), Data.widen(u), Data.widen(c), width);
    Close.near(what + "dz", lab.read(dz), want.dz(), 1);
    Close.near(what + "du", lab.read(du), want.du(), 1);
    Close.near(
        what + "dc", lab.read(dc), want.dc(), width, Math.max(1, 2 * Data.largest(want.dc())));
    Tensor same = lab.inOut(dx, rows, width);
    Tensor du2 = lab.out(rows, width);
    Tensor dc2 = lab.out(rows);
    lab.kernels().ladderMixBackward(same, tz, tu, tc, same, du2, dc2);
    assertArrayEquals(lab.read(dz), lab.read(same), what + "dz in place of dx");
    assertArrayEquals(lab.read(du), lab.read(du2), what + "du when dz is dx");
    assertArrayEquals(lab.read(dc), lab.read(dc2), what + "dc when dz is dx");
    lab.finish();
  }
}
