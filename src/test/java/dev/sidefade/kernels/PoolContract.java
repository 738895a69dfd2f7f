package dev.sidefade.kernels;

import dev.sidefade.tensor.Tensor;
import org.junit.jupiter.api.Test;

/** {@link Kernels#pool} and its gradient. */
public interface PoolContract extends KernelContract {

  @Test
  default void poolMatchesReferenceOnOddShapes() {
    try (Lab lab = new Lab(open())) {
      for (Pooling pooling : Pooling.values()) {
        for (int tokens : Shapes.TOKENS) {
          for (int width : Shapes.WIDTHS) {
            for (int prefix : width == 33 ? new int[] {0, 1, 2} : new int[] {1}) {
              if (prefix >= tokens) {
                continue;
              }
              run(lab, pooling, tokens, prefix, width, false);
              run(lab, pooling, tokens, prefix, width, true);
            }
          }
        }
      }
    }
  }

  private static void run(
      Lab lab, Pooling pooling, int tokens, int prefix, int width, boolean padded) {
    int batch = 3;
    String what =
        pooling
            + " "
            + tokens
            + " tokens, prefix "
            + prefix
            + ", width "
            + width
            + (padded ? " padded " : " ");
    TokenLayout layout = new TokenLayout(batch, tokens, prefix, 0, 0);
    int rows = layout.rows();
    float[] valid = padded ? Data.validity(tokens, batch, tokens) : null;
    for (int row = 0; padded && row < rows; row++) {
      // prefix tokens and one more are tokens in every sample
      valid[row] = row % tokens <= prefix ? 1 : valid[row];
    }
    int pooledRows = pooling.rows(layout);
    int pooledWidth = width * pooling.parts();
    float[] x = Data.normal(1, rows * width);
    float[] dy = Data.normal(2, pooledRows * pooledWidth);
    if (padded) {
      x = Data.poison(x, width, valid, 0);
      dy = pooling == Pooling.TOKENS ? Data.poison(dy, width, valid, 0) : dy;
    }
    Tensor tv = padded ? lab.in(valid, rows) : null;
    Tensor y = lab.out(pooledRows, pooledWidth);
    lab.kernels().pool(lab.in(x, rows, width), layout, pooling, tv, y);
    double[] wide = Data.widen(valid);
    double[] want = PoolReference.forward(Data.widen(x), layout, pooling, wide, width);
    Close.near(what + "y", lab.read(y), want, tokens);

    double[] wantDx = PoolReference.backward(Data.widen(dy), layout, pooling, wide, width);
    Tensor dx = lab.out(rows, width);
    lab.kernels().poolBackward(lab.in(dy, pooledRows, pooledWidth), layout, pooling, tv, dx);
    Close.near(what + "dx", lab.read(dx), wantDx, 1, Math.max(1.0 / tokens, Data.largest(wantDx)));
    lab.finish();
  }

  @Test
  default void meanOfNoTokensIsFinite() {
    TokenLayout layout = new TokenLayout(2, 3, 1, 0, 0);
    float[] valid = {1, 0, 0, 1, 1, 0};
    try (Lab lab = new Lab(open())) {
      for (Pooling pooling : Pooling.values()) {
        int pooledRows = pooling.rows(layout);
        int width = 4 * pooling.parts();
        Tensor y = lab.out(pooledRows, width);
        Tensor tv = lab.in(valid, 6);
        lab.kernels().pool(lab.in(Data.normal(1, 24), 6, 4), layout, pooling, tv, y);
        Close.finite("y", lab.read(y));
        Tensor dx = lab.out(6, 4);
        lab.kernels()
            .poolBackward(
                lab.in(Data.normal(2, pooledRows * width), pooledRows, width),
                layout,
                pooling,
                tv,
                dx);
        Close.finite("dx", lab.read(dx));
      }
    }
  }
}
