package dev.sidefade.kernels;

/**
 * Pooling as one matrix [batch * parts, tokens] of weights in F64: forward and backward are
 * products with it. {@link Pooling#TOKENS}, which leaves all rows, is a copy both ways.
 */
final class PoolReference {
  private PoolReference() {}

  static double[] forward(
      double[] x, TokenLayout layout, Pooling pooling, double[] valid, int width) {
    if (pooling == Pooling.TOKENS) {
      return copyTokens(x, valid, width);
    }
    int parts = pooling.parts();
    double[] y = new double[layout.batch() * parts * width];
    for (int row = 0; row < layout.rows(); row++) {
      for (int part = 0; part < parts; part++) {
        double weight = weight(layout, pooling, valid, row, part);
        int target = (row / layout.tokens() * parts + part) * width;
        for (int j = 0; j < width; j++) {
          y[target + j] += weight == 0 ? 0 : weight * x[row * width + j];
        }
      }
    }
    return y;
  }

  static double[] backward(
      double[] dy, TokenLayout layout, Pooling pooling, double[] valid, int width) {
    if (pooling == Pooling.TOKENS) {
      return copyTokens(dy, valid, width);
    }
    int parts = pooling.parts();
    double[] dx = new double[layout.rows() * width];
    for (int row = 0; row < layout.rows(); row++) {
      for (int part = 0; part < parts; part++) {
        double weight = weight(layout, pooling, valid, row, part);
        int source = (row / layout.tokens() * parts + part) * width;
        for (int j = 0; j < width; j++) {
          dx[row * width + j] += weight * dy[source + j];
        }
      }
    }
    return dx;
  }

  private static double[] copyTokens(double[] x, double[] valid, int width) {
    double[] y = new double[x.length];
    for (int i = 0; i < x.length; i++) {
      y[i] = valid == null || valid[i / width] == 1 ? x[i] : 0;
    }
    return y;
  }

  private static double weight(
      TokenLayout layout, Pooling pooling, double[] valid, int row, int part) {
    int token = row % layout.tokens();
    if (pooling == Pooling.CLS || pooling == Pooling.CLS_MEAN && part == 0) {
      return token == 0 ? 1 : 0;
    }
    if (token < layout.prefix() || valid != null && valid[row] == 0) {
      return 0;
    }
    int first = row - token;
    int count = 0;
    for (int t = layout.prefix(); t < layout.tokens(); t++) {
      count += valid == null || valid[first + t] != 0 ? 1 : 0;
    }
    return 1.0 / count;
  }
}
