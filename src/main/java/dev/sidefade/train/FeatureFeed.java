package dev.sidefade.train;

/** Delivers the features of examples, batch by batch. */
public interface FeatureFeed extends AutoCloseable {
  /**
   * One batch, valid until the next.
   *
   * @param features what the trunk says of them
   * @param examples their numbers
   * @param targets what they are compared with
   */
  record Batch(TrunkFeatures features, int[] examples, Targets targets) {
    /** {@return number of examples} */
    public int size() {
      return examples.length;
    }
  }

  /** {@return number of examples} */
  int size();

  /** {@return order in which all examples are best walked through} */
  int[] walk();

  /**
   * Starts to deliver these examples in this order, {@code rows} at a time, the last batch perhaps
   * fewer.
   *
   * @param epoch number of the epoch, from 0
   * @param order numbers of the examples, in the order of the epoch
   * @param rows number of examples in a batch
   */
  void start(long epoch, int[] order, int rows);

  /** {@return the next batch of what was started} */
  Batch next();

  @Override
  void close();
}
