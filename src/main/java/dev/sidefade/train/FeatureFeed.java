package dev.sidefade.train;

/** Delivers the features of examples, batch by batch. */
public interface FeatureFeed extends AutoCloseable {
  /** One batch, valid until the next. */
  record Batch(TrunkFeatures features, int[] examples, Targets targets) {
    /** Number of examples. */
    public int size() {
      return examples.length;
    }
  }

  /** Number of examples. */
  int size();

  /** Order in which all examples are best walked through. */
  int[] walk();

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
