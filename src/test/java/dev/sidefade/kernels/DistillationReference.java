package dev.sidefade.kernels;

/** Cross-entropy and distillation in F64. */
final class DistillationReference {
  private DistillationReference() {}

  record Result(double crossEntropy, double divergence, double[] dStudent) {}

  static Result run(double[] student, double[] teacher, int[] labels, Distillation d, int classes) {
    int batch = labels.length;
    int labelled = 0;
    int real = 0;
    for (int label : labels) {
      labelled += label >= 0 ? 1 : 0;
      real += label == Kernels.PADDING ? 0 : 1;
    }
    double ce = 0;
    double kl = 0;
    double[] gradient = new double[student.length];
    double temperature = d.temperature();
    double smoothing = d.labelSmoothing();
    for (int b = 0; b < batch; b++) {
      if (labels[b] >= 0) {
        double[] log = logSoftmax(student, b, classes, 1);
        for (int c = 0; c < classes; c++) {
          double target = smoothing / classes + (c == labels[b] ? 1 - smoothing : 0);
          ce -= target * log[c] / labelled;
          gradient[b * classes + c] += d.ceWeight() / labelled * (Math.exp(log[c]) - target);
        }
      }
      if (teacher != null && labels[b] != Kernels.PADDING) {
        double[] logS = logSoftmax(student, b, classes, temperature);
        double[] logT = logSoftmax(teacher, b, classes, temperature);
        for (int c = 0; c < classes; c++) {
          double p = Math.exp(logT[c]);
          kl += temperature * temperature / real * p * (logT[c] - logS[c]);
          gradient[b * classes + c] += d.klWeight() * temperature / real * (Math.exp(logS[c]) - p);
        }
      }
    }
    return new Result(ce, kl, gradient);
  }

  private static double[] logSoftmax(double[] logits, int row, int classes, double temperature) {
    double max = Double.NEGATIVE_INFINITY;
    for (int c = 0; c < classes; c++) {
      max = Math.max(max, logits[row * classes + c] / temperature);
    }
    double sum = 0;
    for (int c = 0; c < classes; c++) {
      sum += Math.exp(logits[row * classes + c] / temperature - max);
    }
    double[] log = new double[classes];
    for (int c = 0; c < classes; c++) {
      log[c] = logits[row * classes + c] / temperature - max - Math.log(sum);
    }
    return log;
  }
}
