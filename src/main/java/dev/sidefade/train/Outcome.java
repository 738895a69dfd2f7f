package dev.sidefade.train;

import java.util.Map;

/** How well a network does on a set of examples. */
public sealed interface Outcome permits Evaluation, RegressionOutcome {
  /**
   * {@return the one number by which networks are compared, larger is better; NaN without labels}
   */
  double score();

  /** {@return name of {@link #score}: "accuracy" or "spearman"} */
  String scoreName();

  /** {@return all measures by name, {@link #score} among them} */
  Map<String, Double> measures();

  /** Computes logits [rows, classes] of a batch. */
  @FunctionalInterface
  interface Network {
    /**
     * {@return the logits of {@code batch} examples}
     *
     * @param features a batch of them
     * @param batch number of examples
     */
    dev.sidefade.tensor.Tensor logits(TrunkFeatures features, int batch);
  }

  /**
   * Runs a network over all examples of a feed, {@code rows} at a time.
   *
   * @param task what is learned
   * @param feed delivers the batches
   * @param rows number of examples in a batch
   * @param classes of the logits; 1 for a regression
   * @param network what computes the logits
   * @return what came out
   */
  static Outcome of(Task task, FeatureFeed feed, int rows, int classes, Network network) {
    return task == Task.REGRESSION
        ? RegressionOutcome.of(feed, rows, network)
        : Evaluation.of(feed, rows, classes, network);
  }
}
