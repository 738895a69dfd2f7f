package dev.sidefade.data;

import dev.sidefade.tensor.CounterRandom;

/** The order in which an epoch visits the examples. */
public final class Shuffle {
  private static final long PURPOSE = 0x53687566666C65L;

  private Shuffle() {}

  /**
   * {@return a permutation of 0 .} n-1 that depends on n, seed and epoch alone, by Fisher and
   * Yates.
   *
   * @param n number of elements
   * @param seed what the random numbers follow from
   * @param epoch number of the epoch, from 0
   */
  public static int[] permutation(int n, long seed, long epoch) {
    long stream = CounterRandom.bits(PURPOSE, epoch, 0);
    int[] order = new int[n];
    for (int i = 0; i < n; i++) {
      order[i] = i;
    }
    for (int i = n - 1; i > 0; i--) {
      int j = CounterRandom.below(i + 1, seed, stream, i);
      int other = order[j];
      order[j] = order[i];
      order[i] = other;
    }
    return order;
  }
}
