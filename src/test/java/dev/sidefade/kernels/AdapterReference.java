package dev.sidefade.kernels;

/** The adapter block in F64, composed of the references of its parts. */
final class AdapterReference {
  private AdapterReference() {}

  record Weights(
      double[] gamma, double[] beta, double[] w1, double[] b1, double[] w2, double[] b2) {}

  record Forward(
      LayerNormReference.Forward norm, double[] hidden, double[] activated, double[] z) {}

  record Gradients(double[] dx, Weights weights) {}

  static Forward forward(double[] x, Weights w, double epsilon, int width, int bottleneck) {
    int rows = x.length / width;
    LayerNormReference.Forward norm =
        LayerNormReference.forward(x, w.gamma, w.beta, epsilon, width);
    double[] hidden = LinearReference.linear(norm.y(), w.w1, w.b1, rows, width, bottleneck);
    double[] activated = ActivationReference.gelu(hidden);
    double[] z = LinearReference.linear(activated, w.w2, w.b2, rows, bottleneck, width);
    for (int i = 0; i < z.length; i++) {
      z[i] += x[i];
    }
    return new Forward(norm, hidden, activated, z);
  }

  static Gradients backward(
      double[] x, Weights w, Forward forward, double[] dz, int width, int bottleneck) {
    int rows = x.length / width;
    LinearReference.Gradients second =
        LinearReference.backward(forward.activated, w.w2, dz, rows, bottleneck, width);
    double[] dHidden = ActivationReference.geluBackward(forward.hidden, second.dx());
    LinearReference.Gradients first =
        LinearReference.backward(forward.norm.y(), w.w1, dHidden, rows, width, bottleneck);
    LayerNormReference.Gradients norm =
        LayerNormReference.backward(
            x, w.gamma, forward.norm.mean(), forward.norm.rstd(), first.dx(), width);
    double[] dx = norm.dx().clone();
    for (int i = 0; i < dx.length; i++) {
      dx[i] += dz[i];
    }
    return new Gradients(
        dx,
        new Weights(
            norm.dGamma(),
            norm.dBeta(),
            first.dWeight(),
            first.dBias(),
            second.dWeight(),
            second.dBias()));
  }
}
