package dev.sidefade.train;

/**
 * What the logits of a batch are compared with.
 *
 * @param labels classes, one for each row of logits: an example, or a token of {@link Task#TOKENS};
 *     negative = no label, {@link dev.sidefade.kernels.Kernels#PADDING} = no token. Empty for a
 *     regression
 * @param values of a regression, one for each example, NaN = none; empty for classes
 */
public record Targets(int[] labels, float[] values) {
  /**
   * {@return classes}
   *
   * @param labels one per row; negative = none
   */
  public static Targets classes(int... labels) {
    return new Targets(labels, new float[0]);
  }

  /**
   * {@return values of a regression}
   *
   * @param values one per row; NaN = none
   */
  public static Targets values(float... values) {
    return new Targets(new int[0], values);
  }

  /** Whether a row of logits has a class or a value. */
  boolean known(int row) {
    return labels.length > 0 ? labels[row] >= 0 : !Float.isNaN(values[row]);
  }
}
