package dev.sidefade.layers;

import dev.sidefade.tensor.CounterRandom;

/**
 * How a parameter starts: element {@code i} of a parameter whose random numbers have the given seed
 * and stream.
 */
@FunctionalInterface
public interface Initializer {
  float value(long seed, long stream, long i);

  /** Everywhere the same. */
  static Initializer constant(float c) {
    return (seed, stream, i) -> c;
  }

  /** Normal with mean 0. */
  static Initializer normal(double standardDeviation) {
    return (seed, stream, i) -> (float) (standardDeviation * CounterRandom.normal(seed, stream, i));
  }

  /** Uniform on [-1/sqrt(fanIn), 1/sqrt(fanIn)), as torch.nn.Linear starts. */
  static Initializer fanIn(long fanIn) {
    float bound = (float) (1 / Math.sqrt(fanIn));
    return (seed, stream, i) -> bound * (2 * CounterRandom.uniform(seed, stream, i) - 1);
  }

  /** These values. */
  static Initializer values(float[] values) {
    float[] copy = values.clone();
    return (seed, stream, i) -> copy[Math.toIntExact(i)];
  }
}
