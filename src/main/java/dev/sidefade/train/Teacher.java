package dev.sidefade.train;

import dev.sidefade.kernels.Device;
import dev.sidefade.tensor.Tensor;

/**
 * Chooses the rows to which the teacher of the logit path speaks. To the others it says what the
 * student says: their divergence and its gradient are zero.
 */
final class Teacher implements AutoCloseable {
  private final KlRows rows;
  private final Tensor said;

  /**
   * @param largest number of rows of logits
   * @param classes of each
   */
  Teacher(Device device, KlRows rows, long largest, long classes) {
    this.rows = rows;
    said = device.allocate(rows == KlRows.ALL ? 1 : largest * classes);
  }

  /** What the teacher says about a batch; {@code teacher} itself where it speaks to all rows. */
  Tensor speak(Tensor teacher, Tensor student, Targets targets) {
    if (rows == KlRows.ALL) {
      return teacher;
    }
    Tensor out = said.slice(0, teacher.shape().toArray());
    long classes = teacher.dim(1);
    for (int row = 0; row < teacher.dim(0); row++) {
      Tensor of = teacher.slice(row * classes, classes);
      boolean speaks =
          rows == KlRows.UNLABELLED
              ? !targets.known(row)
              : largestProbability(of) > KlRows.SURE_ABOVE;
      out.slice(row * classes, classes)
          .copyFrom(speaks ? of : student.slice(row * classes, classes));
    }
    return out;
  }

  private static double largestProbability(Tensor logits) {
    float max = Float.NEGATIVE_INFINITY;
    for (long c = 0; c < logits.size(); c++) {
      max = Math.max(max, logits.get(c));
    }
    double sum = 0;
    for (long c = 0; c < logits.size(); c++) {
      sum += Math.exp(logits.get(c) - max);
    }
    return 1 / sum;
  }

  @Override
  public void close() {
    said.close();
  }
}
