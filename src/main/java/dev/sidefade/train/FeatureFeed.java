package dev.sidefade.train;

import dev.sidefade.tensor.Tensor;
import org.jspecify.annotations.Nullable;

/** Delivers the features of examples, batch by batch. */
public interface FeatureFeed extends AutoCloseable {
  /**
   * One batch, valid until the next.
   *
   * @param features what the trunk says of them
   * @param examples their numbers
   * @param targets what they are compared with
   * @param said logits of a teacher that saw the examples, on the device; null where there is none,
   *     or it does not speak yet
   */
  record Batch(TrunkFeatures features, int[] examples, Targets targets, @Nullable Tensor said) {
    /**
     * A batch without a teacher.
     *
     * @param features what the trunk says of them
     * @param examples their numbers
     * @param targets what they are compared with
     */
    public Batch(TrunkFeatures features, int[] examples, Targets targets) {
      this(features, examples, targets, null);
    }

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
