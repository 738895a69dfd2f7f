package dev.sidefade.kernels;

/**
 * What the losses of a batch are means over. The same for every backend, which calls it at the door
 * of {@link Kernels#logitDistillation} and {@link Kernels#regression}.
 *
 * @param labelled rows with a label, or with a target
 * @param real rows that are not padding
 */
public record RowCounts(int labelled, int real) {

  /**
   * Of labels as {@link Kernels#logitDistillation} takes them.
   *
   * @param labels one per row
   * @param rows number of rows
   * @param classes number of classes
   * @return the counts
   * @throws IllegalArgumentException if there is not one label per row, or one of a class that is
   *     not there
   */
  public static RowCounts ofLabels(int[] labels, int rows, int classes) {
    if (labels.length != rows) {
      throw new IllegalArgumentException(labels.length + " labels for " + rows + " rows of logits");
    }
    int labelled = 0;
    int real = 0;
    for (int label : labels) {
      if (label >= classes) {
        throw new IllegalArgumentException("label " + label + " with only " + classes + " classes");
      }
      labelled += label >= 0 ? 1 : 0;
      real += label != Kernels.PADDING ? 1 : 0;
    }
    return new RowCounts(labelled, real);
  }

  /**
   * Of targets as {@link Kernels#regression} takes them.
   *
   * @param targets one per row; NaN = none
   * @param rows number of rows
   * @return the counts
   * @throws IllegalArgumentException if there is not one target per row, or an infinite one
   */
  public static RowCounts ofTargets(float[] targets, int rows) {
    if (targets.length != rows) {
      throw new IllegalArgumentException(targets.length + " targets for " + rows + " rows");
    }
    int labelled = 0;
    for (float target : targets) {
      if (Float.isInfinite(target)) {
        throw new IllegalArgumentException(
            "a target is " + target + ": it must be finite, or NaN where there is none");
      }
      labelled += Float.isNaN(target) ? 0 : 1;
    }
    return new RowCounts(labelled, rows);
  }
}
