package dev.sidefade.kernels;

/**
 * A run of parameters that {@link Kernels#adamw} treats alike.
 *
 * @param from first element
 * @param count number of elements
 * @param learningRate step size of this update, schedules applied
 * @param weightDecay decoupled decay (Loshchilov and Hutter, 2019), multiplied by the learning rate
 */
public record OptimizerGroup(long from, long count, float learningRate, float weightDecay) {
  /**
   * Checks that the run is part of a vector of {@code size} parameters.
   *
   * @param size number of parameters in the vector
   * @throws IllegalArgumentException if it is not
   */
  public void requireWithin(long size) {
    if (from < 0 || count < 0 || count > size - from) {
      throw new IllegalArgumentException(this + " leaves a vector of " + size + " parameters");
    }
  }
}
