package dev.sidefade.distill;

import dev.sidefade.kernels.Kernels;

/** The terms of the logit path in double, by their definitions. */
final class DoubleLosses {
  private DoubleLosses() {}

  /** Mean over the rows with a label, the target being smoothed. */
  static double crossEntropy(float[] logits, int[] labels, double smoothing) {
    int classes = logits.length / labels.length;
    double sum = 0;
    int labelled = 0;
    for (int b = 0; b < labels.length; b++) {
      if (labels[b] < 0) {
        continue;
      }
      labelled++;
      double[] p = logSoftmax(logits, b * classes, classes, 1);
      for (int c = 0; c < classes; c++) {
        double target = smoothing / classes + (c == labels[b] ? 1 - smoothing : 0);
        sum -= target * p[c];
      }
    }
    return sum / labelled;
  }

  /** T^2 KL(teacher || student), a mean over the rows that are not padding. */
  static double divergence(float[] teacher, float[] student, int[] labels, double temperature) {
    int classes = student.length / labels.length;
    double sum = 0;
    int rows = 0;
    for (int b = 0; b < labels.length; b++) {
      if (labels[b] == Kernels.PADDING) {
        continue;
      }
      rows++;
      double[] t = logSoftmax(teacher, b * classes, classes, temperature);
      double[] s = logSoftmax(student, b * classes, classes, temperature);
      for (int c = 0; c < classes; c++) {
        sum += Math.exp(t[c]) * (t[c] - s[c]);
      }
    }
    return temperature * temperature * sum / rows;
  }

  private static double[] logSoftmax(float[] z, int from, int classes, double temperature) {
    double[] p = new double[classes];
    double total = 0;
    for (int c = 0; c < classes; c++) {
      p[c] = z[from + c] / temperature;
      total += Math.exp(p[c]);
    }
    for (int c = 0; c < classes; c++) {
      p[c] -= Math.log(total);
    }
    return p;
  }
}
