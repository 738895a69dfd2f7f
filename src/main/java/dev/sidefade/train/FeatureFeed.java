package dev.sidefade.train;

/** Delivers the frozen features of examples, batch by batch. */
public interface FeatureFeed extends AutoCloseable {
  /** One batch, valid until the next. */
  record Batch(TrunkFeatures features, int[] examples, int[] labels) {
    /** Number of examples. */
    public int size() {
      return examples.length;
    }
  }

  /** Number of examples. */
  int size();

  /** Label of an example, -1 if it has none. */
  int label(int example);

  /**
   * Starts to deliver these examples in this order, {@code rows} at a time, the last batch perhaps
   * fewer.
   */
  void start(long epoch, int[] order, int rows);

  /** The next batch of what was started. */
  Batch next();

  @Override
  void close();
}
