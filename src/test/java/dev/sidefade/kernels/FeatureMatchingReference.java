package dev.sidefade.kernels;

/** Low-rank alignment and squared error in F64. */
final class FeatureMatchingReference {
  private FeatureMatchingReference() {}

  record Result(double loss, double[] dz, double[] dDown, double[] dUp) {}

  static Result run(
      double[] z,
      double[] down,
      double[] up,
      double[] h,
      double[] v,
      double weight,
      boolean standardize,
      int rows,
      int side,
      int rank,
      int base) {
    double[] t = standardize ? standardized(h, base) : h;
    double[] e = LinearReference.gemm(z, false, down, false, rows, side, rank);
    double[] f = LinearReference.gemm(e, false, up, false, rows, rank, base);
    double count = v == null ? rows : Data.sum(v);
    double[] df = new double[f.length];
    double loss = 0;
    for (int i = 0; i < f.length; i++) {
      double flag = v == null ? 1 : v[i / base];
      if (flag != 0) {
        loss += weight / (base * count) * flag * (f[i] - t[i]) * (f[i] - t[i]);
        df[i] = 2 * weight / (base * count) * flag * (f[i] - t[i]);
      }
    }
    double[] de = LinearReference.gemm(df, false, up, true, rows, base, rank);
    return new Result(
        loss,
        LinearReference.gemm(de, false, down, true, rows, rank, side),
        LinearReference.gemm(z, true, de, false, side, rows, rank),
        LinearReference.gemm(e, true, df, false, rank, rows, base));
  }

  private static double[] standardized(double[] h, int base) {
    return LayerNormReference.forward(
            h, Data.widen(Data.filled(base, 1)), new double[base], 1e-6f, base)
        .y();
  }
}
