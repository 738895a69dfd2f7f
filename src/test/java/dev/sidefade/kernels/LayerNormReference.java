package dev.sidefade.kernels;

/** Layer normalisation in F64. */
final class LayerNormReference {
  private LayerNormReference() {}

  record Forward(double[] y, double[] mean, double[] rstd) {}

  record Gradients(double[] dx, double[] dGamma, double[] dBeta) {}

  static Forward forward(double[] x, double[] gamma, double[] beta, double epsilon, int width) {
    int rows = x.length / width;
    double[] y = new double[x.length];
    double[] mean = new double[rows];
    double[] rstd = new double[rows];
    for (int r = 0; r < rows; r++) {
      for (int j = 0; j < width; j++) {
        mean[r] += x[r * width + j] / width;
      }
      double variance = 0;
      for (int j = 0; j < width; j++) {
        double centred = x[r * width + j] - mean[r];
        variance += centred * centred / width;
      }
      rstd[r] = 1 / Math.sqrt(variance + epsilon);
      for (int j = 0; j < width; j++) {
        y[r * width + j] = gamma[j] * (x[r * width + j] - mean[r]) * rstd[r] + beta[j];
      }
    }
    return new Forward(y, mean, rstd);
  }

  static Gradients backward(
      double[] x, double[] gamma, double[] mean, double[] rstd, double[] dy, int width) {
    int rows = x.length / width;
    double[] dx = new double[x.length];
    double[] dGamma = new double[width];
    double[] dBeta = new double[width];
    for (int r = 0; r < rows; r++) {
      double meanQ = 0;
      double meanQX = 0;
      for (int j = 0; j < width; j++) {
        double xh = (x[r * width + j] - mean[r]) * rstd[r];
        double d = dy[r * width + j];
        dGamma[j] += d * xh;
        dBeta[j] += d;
        meanQ += d * gamma[j] / width;
        meanQX += d * gamma[j] * xh / width;
      }
      for (int j = 0; j < width; j++) {
        double xh = (x[r * width + j] - mean[r]) * rstd[r];
        dx[r * width + j] = rstd[r] * (dy[r * width + j] * gamma[j] - meanQ - xh * meanQX);
      }
    }
    return new Gradients(dx, dGamma, dBeta);
  }
}
