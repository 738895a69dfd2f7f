package dev.sidefade.kernels;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.sidefade.tensor.Tensor;
import org.junit.jupiter.api.Test;

/** {@link Kernels#attention} and its gradient. */
public interface AttentionContract extends KernelContract {

  @Test
  default void attentionMatchesReferenceOnOddShapes() {
    try (Lab lab = new Lab(open())) {
      for (int tokens : Shapes.TOKENS) {
        for (int heads : Shapes.HEADS) {
          for (int dim : Shapes.HEAD_DIMS) {
            for (boolean padded : new boolean[] {false, true}) {
              run(lab, tokens > 100 ? 2 : 3, tokens, heads, dim, padded);
            }
          }
        }
      }
      run(lab, 1, 33, 2, 64, true);
    }
  }

  private static void run(Lab lab, int batch, int tokens, int heads, int dim, boolean padded) {
    String what =
        "attention "
            + batch
            + "x"
            + tokens
            + " heads "
            + heads
            + "x"
            + dim
            + (padded ? " padded " : " ");
    int width = heads * dim;
    int rows = batch * tokens;
    TokenLayout layout = new TokenLayout(batch, tokens, 0, 0, 0);
    float[] valid = padded ? Data.validity(tokens + dim, batch, tokens) : null;
    float[] flags = padded ? valid : Data.filled(rows, 1);
    float[] qkv = Data.normal(1, rows * 3 * width);
    float[] dOut = Data.normal(2, rows * width);
    clearRows(dOut, width, flags);
    Tensor tv = padded ? lab.in(valid, rows) : null;
    Tensor in = lab.in(poisonKeysAndValues(qkv, width, flags), rows, 3 * width);
    Tensor out = lab.out(rows, width);
    lab.kernels().attention(in, layout, heads, tv, out);
    double[] want =
        AttentionReference.forward(Data.widen(qkv), batch, tokens, heads, width, Data.widen(valid));
    Close.nearRows(what + "out", lab.read(out), want, width, flags, 1, tokens + dim);
    Close.finite(what + "out, padding included", lab.read(out));

    Tensor dQkv = lab.out(rows, 3 * width);
    lab.kernels().attentionBackward(in, layout, heads, tv, lab.in(dOut, rows, width), dQkv);
    double[] wantGradient =
        AttentionReference.backward(
            Data.widen(qkv), batch, tokens, heads, width, Data.widen(valid), Data.widen(dOut));
    Close.near(
        what + "dQkv",
        lab.read(dQkv),
        wantGradient,
        tokens + 2L * dim,
        2 * Math.max(1, Data.largest(wantGradient)));
    lab.finish();
  }

  /**
   * Padding has no influence: its keys and values are NaN. (Its queries are numbers: its output
   * must be finite.)
   */
  private static float[] poisonKeysAndValues(float[] qkv, int width, float[] valid) {
    float[] copy = qkv.clone();
    for (int row = 0; row < valid.length; row++) {
      if (valid[row] == 0) {
        java.util.Arrays.fill(copy, row * 3 * width + width, (row + 1) * 3 * width, Float.NaN);
      }
    }
    return copy;
  }

  private static void clearRows(float[] values, int width, float[] valid) {
    for (int i = 0; i < values.length; i++) {
      values[i] = valid[i / width] == 0 ? 0 : values[i];
    }
  }

  @Test
  default void attentionOfASampleOfPaddingOnlyIsFinite() {
    TokenLayout layout = new TokenLayout(2, 5, 0, 0, 0);
    float[] valid = {0, 0, 0, 0, 0, 1, 1, 1, 0, 0};
    float[] dOut = Data.normal(2, 10 * 8);
    clearRows(dOut, 8, valid);
    try (Lab lab = new Lab(open())) {
      Tensor qkv = lab.in(Data.normal(1, 10 * 24), 10, 24);
      Tensor tv = lab.in(valid, 10);
      Tensor out = lab.out(10, 8);
      lab.kernels().attention(qkv, layout, 2, tv, out);
      Close.finite("out", lab.read(out));
      Tensor dQkv = lab.out(10, 24);
      lab.kernels().attentionBackward(qkv, layout, 2, tv, lab.in(dOut, 10, 8), dQkv);
      float[] got = lab.read(dQkv);
      Close.zero("dQkv of padding", java.util.Arrays.copyOf(got, 5 * 24));
      Close.finite("dQkv", got);
    }
  }

  @Test
  default void attentionDoesNotDependOnWherePaddingIs() {
    int width = 6;
    float[] qkv = Data.normal(1, 5 * 3 * width);
    float[] valid = {1, 0, 1, 0, 1};
    TokenLayout layout = new TokenLayout(1, 5, 0, 0, 0);
    double[] want = AttentionReference.forward(Data.widen(qkv), 1, 5, 2, width, Data.widen(valid));
    try (Lab lab = new Lab(open())) {
      Tensor out = lab.out(5, width);
      lab.kernels().attention(lab.in(qkv, 5, 3 * width), layout, 2, lab.in(valid, 5), out);
      Close.nearRows("out", lab.read(out), want, width, valid, 1, 5);
    }
  }

  /** Scores of thousands: without subtracting the maximum exp overflows. */
  @Test
  default void attentionStandsLargeScores() {
    int tokens = 17;
    int width = 4;
    float[] qkv = new float[tokens * 3 * width];
    for (int t = 0; t < tokens; t++) {
      qkv[t * 12] = 100;
      qkv[t * 12 + 4] = t == 11 ? 100 : -100 + t;
      qkv[t * 12 + 8] = t;
    }
    TokenLayout layout = new TokenLayout(1, tokens, 0, 0, 0);
    try (Lab lab = new Lab(open())) {
      Tensor in = lab.in(qkv, tokens, 12);
      Tensor out = lab.out(tokens, width);
      lab.kernels().attention(in, layout, 1, null, out);
      float[] got = lab.read(out);
      for (int t = 0; t < tokens; t++) {
        assertEquals(11, got[t * width], 1e-4, "token " + t + " attends to token 11 alone");
      }
      Tensor dQkv = lab.out(tokens, 12);
      lab.kernels()
          .attentionBackward(
              in, layout, 1, null, lab.in(Data.normal(1, tokens * 4), tokens, 4), dQkv);
      Close.finite("dQkv", lab.read(dQkv));
    }
  }
}
