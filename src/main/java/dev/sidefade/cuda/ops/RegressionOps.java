package dev.sidefade.cuda.ops;

import dev.sidefade.cuda.CudaKernel;
import dev.sidefade.kernels.RowCounts;
import dev.sidefade.tensor.Tensor;

/** Squared errors of one number per row ({@code kernels/regression.cu}). */
final class RegressionOps {
  private static final int THREADS = 256;

  /** Bytes of the settings before the targets. */
  private static final int SETTINGS_BYTES = 16;

  private final Context context;
  private final CudaKernel regression;

  RegressionOps(Context context) {
    this.context = context;
    regression = context.kernel("regression", "regression");
  }

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
    long means = Checks.vector("losses of regression", losses, 2);
    if (!(teacherWeight >= 0)) {
      throw new IllegalArgumentException(
          "the teacher's weight must not be negative, got " + teacherWeight);
    }
    int labelled = RowCounts.ofTargets(targets, rows).labelled();
    long settings =
        context
            .values()
            .begin(SETTINGS_BYTES + 4L * rows)
            .putFloat(labelled == 0 ? 0 : 1f / labelled)
            .putFloat(taught == 0 || rows == 0 ? 0 : 1f / rows)
            .putFloat(teacherWeight)
            .putFloat(0)
            .putFloats(targets)
            .send();
    context
        .launch(regression)
        .address(in)
        .address(taught)
        .address(settings + SETTINGS_BYTES)
        .address(settings)
        .address(out)
        .address(means)
        .int64(rows)
        .on(1, 1, 1, THREADS, 0);
  }
}
