package dev.sidefade.text;

import dev.sidefade.data.Shuffle;
import dev.sidefade.tensor.CounterRandom;
import java.util.Arrays;
import java.util.Comparator;

/** Batches of texts of similar length, so that little is padded. */
public final class LengthBuckets {
  private static final long PURPOSE = 0x4275636B657473L;
  private static final int WINDOW = 16;
  private static final int MULTIPLE = 8;

  private LengthBuckets() {}

  /**
   * Reorders an epoch: windows of 16 batches are sorted by length, then whole batches are shuffled.
   * A window is smaller where there are fewer examples, which then come round several times: sorted
   * by length, the same example would stand beside itself.
   *
   * <p>The result holds the same examples as {@code order}; its batches begin at the multiples of
   * {@code batchSize}, and the last one is smaller where the number is no multiple. Depends on the
   * arguments alone.
   *
   * <p>Where batches are to mix examples of two kinds, such as labelled and unlabelled ones, order
   * each kind by itself with its share of the batch: kinds with the same number of full batches,
   * seed and epoch are shuffled alike, so that their batches of the same index are of similar rank
   * in length.
   *
   * @param order the examples, shuffled
   * @param lengths length of every example, by example
   * @param batchSize examples of a batch, at least 1
   * @param different how many different examples there are
   * @param seed of the run
   * @param epoch number of the epoch, from 0
   * @return the new order
   */
  public static int[] arrange(
      int[] order, int[] lengths, int batchSize, int different, long seed, long epoch) {
    if (batchSize < 1) {
      throw new IllegalArgumentException("batch size is " + batchSize + ", must be at least 1");
    }
    long once = Math.max(1, different / batchSize);
    long window = Math.min(WINDOW, once) * batchSize;
    int[] sorted = sortedInWindows(order, lengths, (int) Math.min(window, order.length));
    int full = order.length / batchSize;
    int rest = order.length - full * batchSize;
    long mixed = CounterRandom.bits(seed, PURPOSE, 0);
    // the smaller batch may be cut out anywhere, so that it is not always the longest texts'
    int gap = CounterRandom.below(full + 1, mixed, epoch, 0) * batchSize;
    int[] arranged = new int[order.length];
    int to = 0;
    for (int batch : Shuffle.permutation(full, mixed, epoch)) {
      int from = batch * batchSize;
      System.arraycopy(sorted, from < gap ? from : from + rest, arranged, to, batchSize);
      to += batchSize;
    }
    System.arraycopy(sorted, gap, arranged, to, rest);
    return arranged;
  }

  /**
   * {@return the number of tokens to pad a batch to: a multiple of 8 that the longest text fits,
   * but at most {@code maxLength}} Few different sizes spare the runtime from planning anew for
   * every batch.
   *
   * @param longest number of tokens of the longest text
   * @param maxLength number of tokens, special ones among them, that are kept at most
   */
  public static int paddedLength(int longest, int maxLength) {
    if (longest > maxLength) {
      throw new IllegalArgumentException(longest + " tokens exceed the length of " + maxLength);
    }
    return (int) Math.min(Math.ceilDiv((long) longest, MULTIPLE) * MULTIPLE, maxLength);
  }

  private static int[] sortedInWindows(int[] order, int[] lengths, int window) {
    int[] sorted = new int[order.length];
    for (int from = 0; from < order.length; from += window) {
      int to = Math.min(order.length, from + window);
      int[] part =
          Arrays.stream(order, from, to)
              .boxed()
              .sorted(Comparator.comparingInt(i -> lengths[i]))
              .mapToInt(Integer::intValue)
              .toArray();
      System.arraycopy(part, 0, sorted, from, part.length);
    }
    return sorted;
  }
}
