package dev.sidefade.kernels;

/** Matrix products in F64. */
final class LinearReference {
  private LinearReference() {}

  record Gradients(double[] dx, double[] dWeight, double[] dBias) {}

  static double[] gemm(double[] a, boolean ta, double[] b, boolean tb, int m, int k, int n) {
    double[] c = new double[m * n];
    for (int i = 0; i < m; i++) {
      for (int p = 0; p < k; p++) {
        double left = a[ta ? p * m + i : i * k + p];
        for (int j = 0; j < n; j++) {
          c[i * n + j] += left * b[tb ? j * k + p : p * n + j];
        }
      }
    }
    return c;
  }

  /** y = x weight + bias; bias may be null. */
  static double[] linear(double[] x, double[] weight, double[] bias, int rows, int in, int out) {
    double[] y = gemm(x, false, weight, false, rows, in, out);
    if (bias != null) {
      for (int i = 0; i < y.length; i++) {
        y[i] += bias[i % out];
      }
    }
    return y;
  }

  static Gradients backward(double[] x, double[] weight, double[] dy, int rows, int in, int out) {
    double[] dBias = new double[out];
    for (int i = 0; i < dy.length; i++) {
      dBias[i % out] += dy[i];
    }
    return new Gradients(
        gemm(dy, false, weight, true, rows, out, in),
        gemm(x, true, dy, false, in, rows, out),
        dBias);
  }
}
