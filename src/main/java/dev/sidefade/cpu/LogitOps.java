package dev.sidefade.cpu;

import dev.sidefade.kernels.Distillation;
import dev.sidefade.kernels.Kernels;
import dev.sidefade.kernels.RowCounts;
import dev.sidefade.tensor.Tensor;

/** Cross-entropy and logit distillation, forward and backward in one pass over a row. */
final class LogitOps {
  private final Context context;

  LogitOps(Context context) {
    this.context = context;
  }

  void distill(
      Tensor student,
      Tensor teacher,
      int[] labels,
      Distillation d,
      Tensor losses,
      Tensor dStudent) {
    int rows = Checks.rows(student);
    int classes = Checks.width(student);
    long z = Checks.matrix("student of logitDistillation", student, rows, classes);
    long t =
        teacher == null ? 0 : Checks.matrix("teacher of logitDistillation", teacher, rows, classes);
    long out = Checks.matrix("dStudent of logitDistillation", dStudent, rows, classes);
    long sums = Checks.vector("losses of logitDistillation", losses, 2);
    RowCounts counts = RowCounts.ofLabels(labels, rows, classes);
    Memory memory = context.memory();
    long mark = memory.mark();
    long perRow = memory.take(2L * rows);
    long scratch = memory.take(2L * classes * context.workers().count());
    float ceScale = counts.labelled() == 0 ? 0 : d.ceWeight() / counts.labelled();
    float klScale =
        t == 0 || counts.real() == 0 ? 0 : d.klWeight() * d.temperature() / counts.real();
    context
        .workers()
        .run(
            rows,
            (row, worker) -> {
              long at = 4L * row * classes;
              long p = scratch + 8L * classes * worker;
              RawMemory.zero(out + at, classes);
              RawMemory.set(
                  perRow + 8L * row,
                  labels[row] < 0
                      ? 0
                      : crossEntropy(z + at, labels[row], d, ceScale, p, out + at, classes));
              RawMemory.set(
                  perRow + 8L * row + 4,
                  t == 0 || labels[row] == Kernels.PADDING
                      ? 0
                      : divergence(z + at, t + at, d.temperature(), klScale, p, out + at, classes));
            });
    double ce = 0;
    double kl = 0;
    for (int r = 0; r < rows; r++) {
      ce += RawMemory.get(perRow + 8L * r);
      kl += RawMemory.get(perRow + 8L * r + 4);
    }
    double square = (double) d.temperature() * d.temperature();
    RawMemory.set(sums, counts.labelled() == 0 ? 0 : (float) (ce / counts.labelled()));
    RawMemory.set(sums + 4, counts.real() == 0 ? 0 : (float) (kl * square / counts.real()));
    memory.release(mark);
  }

  /** Cross-entropy of a row; adds its scaled gradient to {@code out}. */
  private float crossEntropy(
      long z, int label, Distillation d, float scale, long p, long out, int classes) {
    RowMath math = context.rows();
    float max = math.max(z, classes);
    float sum = math.expScaled(z, max, 1, p, classes);
    double logSum = Math.log(sum);
    double loss = logSum + ((double) max - RawMemory.get(z + 4L * label));
    float smoothing = d.labelSmoothing();
    if (smoothing > 0) {
      double mean = (double) math.sum(z, max, classes) / classes;
      loss = (1 - smoothing) * loss + smoothing * (logSum - mean);
    }
    math.addScaled(scale / sum, p, out, classes);
    if (smoothing > 0) {
      float even = scale * smoothing / classes;
      for (int c = 0; c < classes; c++) {
        RawMemory.set(out + 4L * c, RawMemory.get(out + 4L * c) - even);
      }
    }
    long at = out + 4L * label;
    RawMemory.set(at, RawMemory.get(at) - scale * (1 - smoothing));
    return (float) loss;
  }

  /**
   * KL(teacher || student) of a row at the temperature; adds its scaled gradient to {@code out}.
   */
  private float divergence(
      long z, long t, float temperature, float scale, long p, long out, int classes) {
    RowMath math = context.rows();
    float inverse = 1 / temperature;
    long ps = p;
    long pt = p + 4L * classes;
    float maxS = math.max(z, classes);
    float maxT = math.max(t, classes);
    float sumS = math.expScaled(z, maxS, inverse, ps, classes);
    float sumT = math.expScaled(t, maxT, inverse, pt, classes);
    // sum of p_t (log p_t - log p_s), log p = (x - max) / T - log sum
    double cross = math.dotDifference(pt, t, maxT, z, maxS, classes) / (double) sumT;
    double loss = cross * inverse + Math.log(sumS) - Math.log(sumT);
    if (scale != 0) {
      math.addScaled(scale / sumS, ps, out, classes);
      math.addScaled(-scale / sumT, pt, out, classes);
    }
    return (float) loss;
  }
}
