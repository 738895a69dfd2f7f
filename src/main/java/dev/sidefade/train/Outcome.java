package dev.sidefade.train;

import java.util.Map;

/** How well a network does on a set of examples. */
public sealed interface Outcome permits Evaluation, RegressionOutcome, SpanOutcome {
  /**
   * {@return the one number by which networks are compared, larger is better; NaN without labels}
   */
  double score();

  /** {@return name of {@link #score}: "accuracy", "f1" (of spans) or "spearman"} */
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
   * @param feed delivers the batches
   * @param rows number of examples in a batch
   * @param answers what the logits stand for
   * @param network what computes the logits
   * @return what came out
   */
  static Outcome of(FeatureFeed feed, int rows, Answers answers, Network network) {
    if (answers.task() == Task.REGRESSION) {
      return RegressionOutcome.of(feed, rows, network);
    }
    Evaluation said = Evaluation.of(feed, rows, answers.classes(), network);
    return answers.nameSpans() ? new SpanOutcome(said, answers.names()) : said;
  }
}
