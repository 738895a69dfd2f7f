package dev.sidefade.cpu;

import dev.sidefade.kernels.MaskPlacement;
import dev.sidefade.tensor.Tensor;

/** The ladder: gated and masked way from the backbone's features into the side network. */
final class LadderOps {
  private final Context context;
  private final LinearOps linear;

  LadderOps(Context context, LinearOps linear) {
    this.context = context;
    this.linear = linear;
  }

  private static float sigmoid(float x) {
    return (float) (1 / (1 + Math.exp(-x)));
  }

  void coefficients(Tensor gates, float tau, MaskPlacement placement, Tensor keep, Tensor c) {
    int taps = Math.toIntExact(gates.size());
    int rows = Checks.width(c);
    long g = Checks.vector("gates of ladder", gates, taps);
    long out = Checks.matrix("c of ladder", c, taps, rows);
    long kept = Checks.vectorOrNull("keep of ladder", keep, rows);
    for (int l = 0; l < taps; l++) {
      float gate = sigmoid(RawMemory.get(g + 4L * l) / tau);
      for (int r = 0; r < rows; r++) {
        float m = kept == 0 ? 1 : RawMemory.get(kept + 4L * r);
        RawMemory.set(
            out + 4L * ((long) l * rows + r),
            placement == MaskPlacement.STATE ? 1 - m * gate : m * (1 - gate));
      }
    }
  }

  void coefficientsBackward(
      Tensor gates, float tau, MaskPlacement placement, Tensor keep, Tensor dc, Tensor dGates) {
    int taps = Math.toIntExact(gates.size());
    int rows = Checks.width(dc);
    long g = Checks.vector("gates of ladder", gates, taps);
    long dOut = Checks.matrix("dc of ladder", dc, taps, rows);
    long kept = Checks.vectorOrNull("keep of ladder", keep, rows);
    long target = Checks.vector("dGates of ladder", dGates, taps);
    for (int l = 0; l < taps; l++) {
      double sum = 0;
      for (int r = 0; r < rows; r++) {
        float m = kept == 0 ? 1 : RawMemory.get(kept + 4L * r);
        if (m != 0) {
          sum += m * (double) RawMemory.get(dOut + 4L * ((long) l * rows + r));
        }
      }
      // dc/dg is -m for both placements
      float gate = sigmoid(RawMemory.get(g + 4L * l) / tau);
      RawMemory.set(target + 4L * l, (float) (-sum * gate * (1 - gate) / tau));
    }
  }

  void project(Tensor h, Tensor weight, Tensor bias, Tensor c, Tensor u) {
    int rows = Checks.rows(h);
    int in = Checks.width(h);
    int out = Checks.width(u);
    long features = Checks.matrix("h of ladder", h, rows, in);
    long target = Checks.matrix("u of ladder", u, rows, out);
    long w = Checks.exact("weight of ladder", weight, in, out);
    long b = Checks.vector("bias of ladder", bias, out);
    long coefficients = Checks.vectorOrNull("c of ladder", c, rows);
    long mark = context.memory().mark();
    RowSelection needed = RowSelection.nonZero(coefficients, rows, context.memory());
    if (needed.all()) {
      linear.multiply(features, false, w, false, b, target, rows, out, in);
    } else {
      long compactH = needed.gather(features, in, context.memory());
      long compactU = context.memory().take((long) needed.count() * out);
      linear.multiply(compactH, false, w, false, b, compactU, needed.count(), out, in);
      needed.scatter(compactU, target, out);
    }
    context.memory().release(mark);
  }

  void projectBackward(Tensor h, Tensor du, Tensor c, Tensor dWeight, Tensor dBias) {
    int rows = Checks.rows(h);
    int in = Checks.width(h);
    int out = Checks.width(du);
    long features = Checks.matrix("h of ladder", h, rows, in);
    long gradient = Checks.matrix("du of ladder", du, rows, out);
    long toWeight = Checks.exact("dWeight of ladder", dWeight, in, out);
    long toBias = Checks.vector("dBias of ladder", dBias, out);
    long coefficients = Checks.vectorOrNull("c of ladder", c, rows);
    long mark = context.memory().mark();
    RowSelection needed = RowSelection.nonZero(coefficients, rows, context.memory());
    if (!needed.all()) {
      features = needed.gather(features, in, context.memory());
      gradient = needed.gather(gradient, out, context.memory());
    }
    linear.weightGradient(features, gradient, needed.count(), in, out, toWeight, toBias);
    context.memory().release(mark);
  }

  void mix(Tensor z, Tensor u, Tensor c, Tensor x) {
    int count = Checks.rows(z);
    int width = Checks.width(z);
    long state = Checks.matrix("z of ladder", z, count, width);
    long projected = Checks.matrix("u of ladder", u, count, width);
    long coefficients = Checks.vector("c of ladder", c, count);
    long out = Checks.matrix("x of ladder", x, count, width);
    context.overRows(
        count,
        (from, to) -> {
          for (int r = from; r < to; r++) {
            long at = 4L * r * width;
            float k = RawMemory.get(coefficients + 4L * r);
            if (k == 0) {
              RawMemory.copy(state + at, out + at, width);
            } else if (k == 1) {
              RawMemory.copy(projected + at, out + at, width);
            } else {
              context.rows().mix(k, state + at, projected + at, out + at, width);
            }
          }
        });
  }

  void mixBackward(Tensor dx, Tensor z, Tensor u, Tensor c, Tensor dz, Tensor du, Tensor dc) {
    int count = Checks.rows(z);
    int width = Checks.width(z);
    long gradient = Checks.matrix("dx of ladder", dx, count, width);
    long state = Checks.matrix("z of ladder", z, count, width);
    long projected = Checks.matrix("u of ladder", u, count, width);
    long coefficients = Checks.vector("c of ladder", c, count);
    long toZ = Checks.matrix("dz of ladder", dz, count, width);
    long toU = Checks.matrix("du of ladder", du, count, width);
    long toC = Checks.vector("dc of ladder", dc, count);
    RowMath math = context.rows();
    context.overRows(
        count,
        (from, to) -> {
          for (int r = from; r < to; r++) {
            long at = 4L * r * width;
            float k = RawMemory.get(coefficients + 4L * r);
            float d =
                k == 0 || k == 1
                    ? 0
                    : math.dotDifference(gradient + at, projected + at, 0, state + at, 0, width);
            RawMemory.set(toC + 4L * r, d);
            // du before dz: dz may be dx
            math.scale(k, gradient + at, toU + at, width);
            math.scale(1 - k, gradient + at, toZ + at, width);
          }
        });
  }
}
