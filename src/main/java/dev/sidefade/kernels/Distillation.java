package dev.sidefade.kernels;

/**
 * Weights of {@link Kernels#logitDistillation}.
 *
 * @param temperature T > 0 of both softmaxes of the KL term
 * @param klWeight factor of T^2 KL(teacher || student), a mean over the rows that are not padding;
 *     0 when there is no teacher
 * @param ceWeight factor of the cross-entropy, a mean over the rows with a label
 * @param labelSmoothing in [0, 1): this much of the target is spread evenly over all classes
 */
public record Distillation(
    float temperature, float klWeight, float ceWeight, float labelSmoothing) {
  /**
   * Refuses a temperature that is not positive, negative weights and a smoothing outside of [0, 1).
   */
  public Distillation {
    if (!(temperature > 0) || !(klWeight >= 0) || !(ceWeight >= 0)) {
      throw new IllegalArgumentException(
          "temperature must be positive and weights not negative, got T "
              + temperature
              + ", KL "
              + klWeight
              + ", CE "
              + ceWeight);
    }
    if (!(labelSmoothing >= 0 && labelSmoothing < 1)) {
      throw new IllegalArgumentException(
          "label smoothing must be in [0, 1), got " + labelSmoothing);
    }
  }
}
