package dev.sidefade.train;

import java.util.Map;

/** How well a network does on a set of examples. */
public sealed interface Outcome permits Evaluation, RegressionOutcome {
  /** The one number by which networks are compared, larger is better; NaN without labels. */
  double score();

  /** Name of {@link #score}: "accuracy" or "spearman". */
  String scoreName();

  /** All measures by name, {@link #score} among them. */
  Map<String, Double> measures();

  /** Computes logits [rows, classes] of a batch. */
  @FunctionalInterface
  interface Network {
    /** The logits of {@code batch} examples. */
    dev.sidefade.tensor.Tensor logits(TrunkFeatures features, int batch);
  }

  /**
   * Runs a network over all examples of a feed, {@code rows} at a time.
   *
   * @param classes of the logits; 1 for a regression
   */
  static Outcome of(Task task, FeatureFeed feed, int rows, int classes, Network network) {
    return task == Task.REGRESSION
        ? RegressionOutcome.of(feed, rows, network)
        : Evaluation.of(feed, rows, classes, network);
  }
}
