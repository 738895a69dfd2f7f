package dev.sidefade.train;

import java.util.LinkedHashMap;
import java.util.Map;

/** The terms of the losses, summed over steps. */
final class StepLosses {
  private final Map<String, Double> sums = new LinkedHashMap<>();
  private long steps;

  /** One term of the present step. */
  void add(String term, double value, long step) {
    if (!Double.isFinite(value)) {
      throw new DivergedException("the loss term " + term, step, value);
    }
    sums.merge(term, value, Double::sum);
  }

  void stepDone() {
    steps++;
  }

  /** Means over the steps, in the order of their first appearance. */
  Map<String, Double> means() {
    Map<String, Double> means = new LinkedHashMap<>();
    sums.forEach((term, sum) -> means.put(term, sum / steps));
    return means;
  }
}
