package dev.sidefade.kernels;

/** 3 x 3 convolution over the patch grid in F64, by the definition. */
final class ConvReference {
  private ConvReference() {}

  record Gradients(double[] dx, double[] dWeight, double[] dBias) {}

  static double[] forward(
      double[] x, TokenLayout l, double[] weight, double[] bias, int in, int out) {
    double[] y = new double[l.rows() * out];
    for (int row = 0; row < l.rows(); row++) {
      if (row % l.tokens() < l.prefix()) {
        continue;
      }
      for (int o = 0; o < out; o++) {
        y[row * out + o] = bias[o];
      }
      for (int tap = 0; tap < 9; tap++) {
        int source = neighbour(l, row, tap);
        for (int i = 0; source >= 0 && i < in; i++) {
          for (int o = 0; o < out; o++) {
            y[row * out + o] += x[source * in + i] * weight[(tap * in + i) * out + o];
          }
        }
      }
    }
    return y;
  }

  static Gradients backward(
      double[] x, TokenLayout l, double[] weight, double[] dy, int in, int out) {
    double[] dx = new double[x.length];
    double[] dWeight = new double[weight.length];
    double[] dBias = new double[out];
    for (int row = 0; row < l.rows(); row++) {
      if (row % l.tokens() < l.prefix()) {
        continue;
      }
      for (int o = 0; o < out; o++) {
        dBias[o] += dy[row * out + o];
      }
      for (int tap = 0; tap < 9; tap++) {
        int source = neighbour(l, row, tap);
        for (int i = 0; source >= 0 && i < in; i++) {
          for (int o = 0; o < out; o++) {
            dx[source * in + i] += dy[row * out + o] * weight[(tap * in + i) * out + o];
            dWeight[(tap * in + i) * out + o] += dy[row * out + o] * x[source * in + i];
          }
        }
      }
    }
    return new Gradients(dx, dWeight, dBias);
  }

  /** The row under tap (ky, kx) = (tap / 3, tap % 3), or -1 outside the grid. */
  private static int neighbour(TokenLayout l, int row, int tap) {
    int patch = row % l.tokens() - l.prefix();
    int y = patch / l.gridWidth() + tap / 3 - 1;
    int x = patch % l.gridWidth() + tap % 3 - 1;
    if (y < 0 || y >= l.gridHeight() || x < 0 || x >= l.gridWidth()) {
      return -1;
    }
    return row / l.tokens() * l.tokens() + l.prefix() + y * l.gridWidth() + x;
  }
}
