package dev.sidefade.train;

import dev.sidefade.data.Shuffle;

/**
 * Which examples each step sees. Labelled rows are examples 0 .. labelled - 1, unlabelled ones
 * follow. When there are unlabelled rows they fill half of every batch; each kind is walked through
 * in a shuffled order of its own, shuffled anew after every pass, so that few labelled rows come
 * round more often than many unlabelled ones.
 *
 * @param labelled number of rows with a label, at least 1
 * @param unlabelled number of rows without
 * @param batch rows of a step
 * @param seed of the shuffles
 */
public record EpochOrder(int labelled, int unlabelled, int batch, long seed) {
  /** Keeps the shuffles of unlabelled rows apart from those of labelled rows. */
  private static final long UNLABELLED_SEED = 0x5DEECE66DL;

  /** Steps of an epoch: as many as all rows fill. */
  public int steps() {
    return Math.ceilDiv(Math.addExact(labelled, unlabelled), rows());
  }

  /** Rows of a step: the batch, or fewer when there are fewer rows in all. */
  public int rows() {
    return Math.min(batch, labelled + unlabelled);
  }

  private int unlabelledRows() {
    return unlabelled == 0 ? 0 : rows() / 2;
  }

  /** Example numbers of all steps of an epoch, {@code steps() * rows()} of them. */
  public int[] epoch(int epoch) {
    int[] order = new int[Math.multiplyExact(steps(), rows())];
    int withoutLabel = unlabelledRows();
    int withLabel = rows() - withoutLabel;
    Walk first = new Walk(labelled, seed, (long) epoch * steps() * withLabel);
    Walk second =
        new Walk(unlabelled, seed ^ UNLABELLED_SEED, (long) epoch * steps() * withoutLabel);
    for (int i = 0; i < order.length; i++) {
      boolean hasLabel = i % rows() < withLabel;
      order[i] = hasLabel ? first.next() : labelled + second.next();
    }
    return order;
  }

  /** An endless shuffled walk over {@code count} rows, entered at any position. */
  private static final class Walk {
    private final int count;
    private final long seed;
    private long position;
    private long pass = -1;
    private int[] permutation;

    Walk(int count, long seed, long position) {
      this.count = count;
      this.seed = seed;
      this.position = position;
    }

    int next() {
      long wanted = position / count;
      if (wanted != pass) {
        pass = wanted;
        permutation = Shuffle.permutation(count, seed, pass);
      }
      return permutation[(int) (position++ % count)];
    }
  }
}
