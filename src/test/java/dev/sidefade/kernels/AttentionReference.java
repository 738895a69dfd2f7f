package dev.sidefade.kernels;

/**
 * Multi-head self-attention in F64. Padding has no weight as a key and an output of 0 as a query.
 */
final class AttentionReference {
  private AttentionReference() {}

  static double[] forward(
      double[] qkv, int batch, int tokens, int heads, int width, double[] valid) {
    double[] out = new double[batch * tokens * width];
    int dim = width / heads;
    for (int b = 0; b < batch; b++) {
      for (int h = 0; h < heads; h++) {
        for (int i = 0; i < tokens; i++) {
          double[] p = probabilities(qkv, b, h, i, tokens, heads, width, valid);
          for (int j = 0; j < tokens; j++) {
            for (int e = 0; e < dim; e++) {
              out[(b * tokens + i) * width + h * dim + e] +=
                  p[j] * qkv[(b * tokens + j) * 3 * width + 2 * width + h * dim + e];
            }
          }
        }
      }
    }
    return out;
  }

  static double[] backward(
      double[] qkv, int batch, int tokens, int heads, int width, double[] valid, double[] dOut) {
    double[] dQkv = new double[qkv.length];
    int dim = width / heads;
    double scale = 1 / Math.sqrt(dim);
    for (int b = 0; b < batch; b++) {
      for (int h = 0; h < heads; h++) {
        for (int i = 0; i < tokens; i++) {
          double[] p = probabilities(qkv, b, h, i, tokens, heads, width, valid);
          double[] dp = new double[tokens];
          double mean = 0;
          int query = (b * tokens + i) * 3 * width + h * dim;
          for (int j = 0; j < tokens; j++) {
            int key = (b * tokens + j) * 3 * width + h * dim;
            for (int e = 0; e < dim; e++) {
              double d = dOut[(b * tokens + i) * width + h * dim + e];
              dp[j] += d * qkv[key + 2 * width + e];
              dQkv[key + 2 * width + e] += p[j] * d;
            }
            mean += p[j] * dp[j];
          }
          for (int j = 0; j < tokens; j++) {
            int key = (b * tokens + j) * 3 * width + h * dim;
            double ds = scale * p[j] * (dp[j] - mean);
            for (int e = 0; e < dim; e++) {
              dQkv[query + e] += ds * qkv[key + width + e];
              dQkv[key + width + e] += ds * qkv[query + e];
            }
          }
        }
      }
    }
    return dQkv;
  }

  private static double[] probabilities(
      double[] qkv, int b, int h, int i, int tokens, int heads, int width, double[] valid) {
    int dim = width / heads;
    double[] p = new double[tokens];
    if (valid != null && valid[b * tokens + i] == 0) {
      return p;
    }
    double max = Double.NEGATIVE_INFINITY;
    for (int j = 0; j < tokens; j++) {
      p[j] = Double.NEGATIVE_INFINITY;
      if (valid == null || valid[b * tokens + j] != 0) {
        p[j] = 0;
        for (int e = 0; e < dim; e++) {
          p[j] +=
              qkv[(b * tokens + i) * 3 * width + h * dim + e]
                  * qkv[(b * tokens + j) * 3 * width + width + h * dim + e];
        }
        p[j] /= Math.sqrt(dim);
        max = Math.max(max, p[j]);
      }
    }
    double sum = 0;
    for (int j = 0; j < tokens; j++) {
      p[j] = Math.exp(p[j] - max);
      sum += p[j];
    }
    for (int j = 0; j < tokens; j++) {
      p[j] /= sum;
    }
    return p;
  }
}
