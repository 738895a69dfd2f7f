package dev.sidefade.cuda.ops;

import dev.sidefade.cuda.CudaKernel;
import dev.sidefade.kernels.Distillation;
import dev.sidefade.kernels.RowCounts;
import dev.sidefade.tensor.DType;
import dev.sidefade.tensor.Tensor;

/**
 * Cross-entropy and logit distillation ({@code kernels/logit_distillation.cu}). The student, the
 * teacher and the gradient are of one type: F32, F16 or BF16; the gradient may be the student
 * itself.
 */
final class LogitOps {
  private static final String FILE = "logit_distillation";

  /** More classes than these get a block of threads per row, fewer a warp. */
  private static final int WARP_CLASSES = 1024;

  private static final int WARPS_OF_BLOCK = 4;
  private static final int WARP_THREADS = 128;
  private static final int ROW_THREADS = 512;
  private static final int LOSS_THREADS = 256;

  /** Bytes of the settings before the labels. */
  private static final int SETTINGS_BYTES = 32;

  /** Shared memory that the kernels use beside their cache, rounded up. */
  private static final int OTHER_SHARED_BYTES = 1024;

  private final Context context;
  private final TypedKernel warps;
  private final TypedKernel blocks;
  private final CudaKernel means;
  private final int sharedBytes;

  LogitOps(Context context) {
    this.context = context;
    warps = new TypedKernel(context, FILE, "logit_distillation_rows_", "");
    blocks = new TypedKernel(context, FILE, "logit_distillation_row_", "");
    means = context.kernel(FILE, "logit_losses");
    sharedBytes = means.module().context().device().sharedBytesPerBlock() - OTHER_SHARED_BYTES;
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
    DType dtype = student.dtype();
    long z = Checks.features("student of logitDistillation", student, rows, classes);
    long t =
        teacher == null
            ? 0
            : TypedKernel.features("teacher of logitDistillation", teacher, dtype, rows, classes);
    long out =
        TypedKernel.features("dStudent of logitDistillation", dStudent, dtype, rows, classes);
    long sums = Checks.vector("losses of logitDistillation", losses, 2);
    long settings = send(labels, RowCounts.ofLabels(labels, rows, classes), d, t != 0);
    int mark = context.scratch().mark();
    long perRow = context.scratch().take(8L * rows);
    if (rows > 0) {
      launchRows(dtype, z, t, settings, out, perRow, rows, classes);
    }
    context
        .launch(means)
        .address(perRow)
        .address(settings)
        .address(sums)
        .int64(rows)
        .on(1, 1, 1, LOSS_THREADS, 0);
    context.scratch().release(mark);
  }

  private void launchRows(
      DType dtype, long z, long t, long settings, long out, long perRow, int rows, int classes) {
    boolean warpPerRow = classes <= WARP_CLASSES;
    CudaKernel kernel = (warpPerRow ? warps : blocks).of(dtype);
    int chunk = TypedKernel.chunk(dtype);
    long rowBytes = 2 * 16L * ((classes + chunk - 1L) / chunk);
    Launch launch =
        context
            .launch(kernel)
            .address(z)
            .address(t)
            .address(settings + SETTINGS_BYTES)
            .address(settings)
            .address(out)
            .address(perRow);
    if (warpPerRow) {
      launch
          .int64(rows)
          .int32(classes)
          .on(
              (rows + WARPS_OF_BLOCK - 1L) / WARPS_OF_BLOCK,
              1,
              1,
              WARP_THREADS,
              Math.toIntExact(WARPS_OF_BLOCK * rowBytes));
      return;
    }
    int cache = rowBytes <= sharedBytes ? (int) rowBytes : 0;
    kernel.allowShared(cache);
    launch.int32(classes).int32(cache > 0 ? 1 : 0).on(rows, 1, 1, ROW_THREADS, cache);
  }

  /** Sends all that may differ from step to step: the kernel's settings, then the labels. */
  private long send(int[] labels, RowCounts counts, Distillation d, boolean taught) {
    float temperature = d.temperature();
    float ceMean = counts.labelled() == 0 ? 0 : 1f / counts.labelled();
    float klMean = !taught || counts.real() == 0 ? 0 : 1f / counts.real();
    return context
        .values()
        .begin(SETTINGS_BYTES + 4L * labels.length)
        .putFloat(1 / temperature)
        .putFloat(d.ceWeight() * ceMean)
        .putFloat(d.klWeight() * temperature * klMean)
        .putFloat(d.labelSmoothing())
        .putFloat(squarings(temperature))
        .putFloat(ceMean)
        .putFloat(temperature * temperature * klMean)
        .putFloat(0)
        .putInts(labels, 0, labels.length)
        .send();
  }

  /** How often e^(x / T) is squared for e^x where T is 1, 2 or 4; -1 for another T. */
  private static int squarings(float temperature) {
    return temperature == 1 ? 0 : temperature == 2 ? 1 : temperature == 4 ? 2 : -1;
  }
}
