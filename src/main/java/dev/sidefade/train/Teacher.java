package dev.sidefade.train;

import dev.sidefade.kernels.Device;
import dev.sidefade.kernels.Kernels;
import dev.sidefade.tensor.Closer;
import dev.sidefade.tensor.Tensor;
import java.util.Arrays;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Chooses the rows to which the teacher of the logit path speaks. To the others it says what the
 * student says: their divergence and its gradient are zero.
 */
final class Teacher implements AutoCloseable {
  private final Closer own = new Closer();
  private final Kernels kernels;
  private final KlRows rows;
  private final Tensor said;

  /** [largest] 1 = the teacher speaks to the row, 0 = it does not. */
  private final Tensor speaks;

  /**
   * @param largest number of rows of logits
   * @param classes of each
   */
  Teacher(Device device, KlRows rows, long largest, long classes) {
    kernels = device.kernels();
    this.rows = rows;
    boolean chooses = rows != KlRows.ALL;
    said = own.make(() -> device.allocate(chooses ? Math.multiplyExact(largest, classes) : 1));
    speaks = own.make(() -> device.allocate(chooses ? largest : 1));
  }

  /** Whether {@link #choose} must see what the teacher says. */
  boolean choosesByLogits() {
    return rows == KlRows.SURE;
  }

  /**
   * Chooses the rows of a batch, on the host.
   *
   * @param teacher its logits; null unless {@link #choosesByLogits}
   */
  void choose(@Nullable Tensor teacher, Targets targets, int count) {
    if (rows == KlRows.ALL) {
      return;
    }
    float[] logits = choosesByLogits() ? Objects.requireNonNull(teacher).toFloats() : new float[0];
    int classes = logits.length / Math.max(count, 1);
    float[] chosen = new float[count];
    for (int row = 0; row < count; row++) {
      boolean spoken =
          choosesByLogits()
              ? largestProbability(logits, row * classes, classes) > KlRows.SURE_ABOVE
              : !targets.known(row);
      chosen[row] = spoken ? 1 : 0;
    }
    speaks.slice(0, count).setFloats(chosen);
  }

  /**
   * What the teacher says about a batch to the rows that were chosen; {@code teacher} itself where
   * it speaks to all rows.
   */
  Tensor speak(Tensor teacher, Tensor student) {
    if (rows == KlRows.ALL) {
      return teacher;
    }
    Tensor out = said.slice(0, teacher.shape().toArray());
    kernels.ladderMix(student, teacher, speaks.slice(0, teacher.dim(0)), out);
    return out;
  }

  private static double largestProbability(float[] logits, int from, int classes) {
    float[] row = Arrays.copyOfRange(logits, from, from + classes);
    float max = Float.NEGATIVE_INFINITY;
    for (float logit : row) {
      max = Math.max(max, logit);
    }
    double sum = 0;
    for (float logit : row) {
      sum += Math.exp(logit - max);
    }
    return 1 / sum;
  }

  @Override
  public void close() {
    own.close();
  }
}
