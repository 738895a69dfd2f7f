package dev.sidefade.train;

import java.util.LinkedHashMap;
import java.util.Map;

/** The terms of the losses, each summed over the steps that had it. */
final class StepLosses {
  private record Sum(double total, long steps) {
    Sum plus(Sum other) {
      return new Sum(total + other.total, steps + other.steps);
    }
  }

  private final Map<String, Sum> sums = new LinkedHashMap<>();

  /**
   * One term of a step.
   *
   * @param step from 1
   * @throws DivergedException if the value is not finite
   */
  void add(String term, double value, long step) {
    if (!Double.isFinite(value)) {
      throw new DivergedException("the loss term " + term, step, value);
    }
    sums.merge(term, new Sum(value, 1), Sum::plus);
  }

  /** Mean of every term over the steps that had it, in the order of their first appearance. */
  Map<String, Double> means() {
    Map<String, Double> means = new LinkedHashMap<>();
    sums.forEach((term, sum) -> means.put(term, sum.total() / sum.steps()));
    return means;
  }
}
