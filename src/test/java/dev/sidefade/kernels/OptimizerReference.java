package dev.sidefade.kernels;

/** AdamW in F64. */
final class OptimizerReference {
  final double[] parameters;
  final double[] m;
  final double[] v;

  OptimizerReference(double[] parameters) {
    this.parameters = parameters.clone();
    this.m = new double[parameters.length];
    this.v = new double[parameters.length];
  }

  static double norm(double[] gradient) {
    return Math.sqrt(Data.dot(gradient, gradient));
  }

  void step(
      double[] gradient,
      OptimizerGroup[] groups,
      double beta1,
      double beta2,
      double epsilon,
      long step,
      double clip) {
    for (OptimizerGroup group : groups) {
      for (int i = (int) group.from(); i < group.from() + group.count(); i++) {
        double g = clip * gradient[i];
        m[i] = beta1 * m[i] + (1 - beta1) * g;
        v[i] = beta2 * v[i] + (1 - beta2) * g * g;
        double mean = m[i] / (1 - Math.pow(beta1, step));
        double square = v[i] / (1 - Math.pow(beta2, step));
        parameters[i] -=
            group.learningRate()
                * (mean / (Math.sqrt(square) + epsilon) + group.weightDecay() * parameters[i]);
      }
    }
  }
}
