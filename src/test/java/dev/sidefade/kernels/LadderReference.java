package dev.sidefade.kernels;

/** The ladder in F64, evaluated on all rows: it does not skip, it multiplies by 0. */
final class LadderReference {
  private LadderReference() {}

  record MixGradients(double[] dz, double[] du, double[] dc) {}

  static double[] coefficients(
      double[] gates, double tau, MaskPlacement placement, double[] keep, int rows) {
    double[] c = new double[gates.length * rows];
    for (int l = 0; l < gates.length; l++) {
      double g = 1 / (1 + Math.exp(-gates[l] / tau));
      for (int r = 0; r < rows; r++) {
        double m = keep == null ? 1 : keep[r];
        c[l * rows + r] = placement == MaskPlacement.STATE ? 1 - m * g : m * (1 - g);
      }
    }
    return c;
  }

  static double[] coefficientsBackward(
      double[] gates, double tau, double[] keep, double[] dc, int rows) {
    double[] dGates = new double[gates.length];
    for (int l = 0; l < gates.length; l++) {
      double g = 1 / (1 + Math.exp(-gates[l] / tau));
      for (int r = 0; r < rows; r++) {
        // both placements: dc/dg = -m
        dGates[l] -= dc[l * rows + r] * (keep == null ? 1 : keep[r]) * g * (1 - g) / tau;
      }
    }
    return dGates;
  }

  static double[] mix(double[] z, double[] u, double[] c, int width) {
    double[] x = new double[z.length];
    for (int i = 0; i < x.length; i++) {
      x[i] = z[i] + c[i / width] * (u[i] - z[i]);
    }
    return x;
  }

  /** As the contract says: dc is 0 where c is exactly 0 or 1. */
  static MixGradients mixBackward(double[] dx, double[] z, double[] u, double[] c, int width) {
    double[] dz = new double[z.length];
    double[] du = new double[z.length];
    double[] dc = new double[c.length];
    for (int i = 0; i < dx.length; i++) {
      double weight = c[i / width];
      dz[i] = (1 - weight) * dx[i];
      du[i] = weight * dx[i];
      if (weight != 0 && weight != 1) {
        dc[i / width] += dx[i] * (u[i] - z[i]);
      }
    }
    return new MixGradients(dz, du, dc);
  }
}
