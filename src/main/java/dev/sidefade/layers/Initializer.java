package dev.sidefade.layers;

import dev.sidefade.tensor.CounterRandom;

/**
 * How a parameter starts: element {@code i} of a parameter whose random numbers have the given seed
 * and stream.
 */
@FunctionalInterface
public interface Initializer {
  /**
   * {@return the first value of element {@code i} of a parameter}
   *
   * @param seed of the run
   * @param stream a number of the parameter alone
   * @param i place of the element, from 0
   */
  float value(long seed, long stream, long i);

  /**
   * {@return everywhere the same}
   *
   * @param c the value
   */
  static Initializer constant(float c) {
    return (seed, stream, i) -> c;
  }

  /**
   * {@return normal with mean 0}
   *
   * @param standardDeviation not negative
   */
  static Initializer normal(double standardDeviation) {
    return (seed, stream, i) -> (float) (standardDeviation * CounterRandom.normal(seed, stream, i));
  }

  /**
   * {@return uniform on [-1/sqrt(fanIn), 1/sqrt(fanIn)), as torch.nn.Linear starts.}
   *
   * @param fanIn number of inputs of the layer, positive
   */
  static Initializer fanIn(long fanIn) {
    float bound = (float) (1 / Math.sqrt(fanIn));
    return (seed, stream, i) -> bound * (2 * CounterRandom.uniform(seed, stream, i) - 1);
  }

  /**
   * {@return these values}
   *
   * @param values the values
   */
  static Initializer values(float[] values) {
    float[] copy = values.clone();
    return (seed, stream, i) -> copy[Math.toIntExact(i)];
  }
}
