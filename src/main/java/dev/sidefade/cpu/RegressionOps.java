package dev.sidefade.cpu;

import dev.sidefade.kernels.RowCounts;
import dev.sidefade.tensor.Tensor;

/** Squared errors of one number per row: a batch of them is too little to share among threads. */
final class RegressionOps {
  void regress(
      Tensor student,
      Tensor teacher,
      float[] targets,
      float teacherWeight,
      Tensor losses,
      Tensor dStudent) {
    int rows = Checks.rows(student);
    long in = Checks.matrix("student of regression", student, rows, 1);
    long taught = teacher == null ? 0 : Checks.matrix("teacher of regression", teacher, rows, 1);
    long out = Checks.matrix("dStudent of regression", dStudent, rows, 1);
    long sums = Checks.vector("losses of regression", losses, 2);
    if (!(teacherWeight >= 0)) {
      throw new IllegalArgumentException(
          "the teacher's weight must not be negative, got " + teacherWeight);
    }
    int labelled = RowCounts.ofTargets(targets, rows).labelled();
    double labelScale = 1.0 / Math.max(1, labelled);
    double teacherScale = taught == 0 ? 0 : 1.0 / rows;
    double labelLoss = 0;
    double teacherLoss = 0;
    for (int r = 0; r < rows; r++) {
      double gradient = 0;
      if (!Float.isNaN(targets[r])) {
        double error = (double) RawMemory.get(in + 4L * r) - targets[r];
        labelLoss += labelScale * error * error;
        gradient += 2 * labelScale * error;
      }
      if (taught != 0) {
        double error = (double) RawMemory.get(in + 4L * r) - RawMemory.get(taught + 4L * r);
        teacherLoss += teacherScale * error * error;
        gradient += 2 * teacherScale * teacherWeight * error;
      }
      RawMemory.set(out + 4L * r, (float) gradient);
    }
    RawMemory.set(sums, (float) labelLoss);
    RawMemory.set(sums + 4, (float) teacherLoss);
  }
}
