package dev.sidefade.train;

import dev.sidefade.data.Shuffle;
import dev.sidefade.tensor.BadInputException;
import dev.sidefade.text.LengthBuckets;
import java.util.stream.IntStream;

/**
 * Which examples each step sees. Labelled rows are examples 0 .. labelled - 1, unlabelled ones
 * follow. When there are unlabelled rows they fill half of every batch, if they are so many; each
 * kind is walked through in a shuffled order of its own, shuffled anew after every pass, so that
 * few labelled rows come round more often than many unlabelled ones. Texts of similar length come
 * into one batch.
 *
 * @param labelled number of rows with a label, at least 1
 * @param unlabelled number of rows without
 * @param rows of a step, of few labelled ones some twice; at least 2 where there are unlabelled
 *     rows
 * @param seed of the shuffles
 * @param lengths of all examples; empty where all have the same
 * @param steps of an epoch
 */
public record EpochOrder(
    int labelled, int unlabelled, int rows, long seed, int[] lengths, int steps) {
  /** Keeps the shuffles of unlabelled rows apart from those of labelled rows. */
  private static final long UNLABELLED_SEED = 0x5DEECE66DL;

  /** Refuses a batch without room for labelled and unlabelled rows. */
  public EpochOrder {
    if (unlabelled > 0 && rows < 2) {
      throw new BadInputException(
          "a batch of 1 has no room for a labelled and an unlabelled row: use --batch 2 or more");
    }
  }

  /**
   * An order whose epochs have as many steps as all rows fill.
   *
   * @param labelled number of rows with a label, at least 1
   * @param unlabelled number of rows without
   * @param batch rows of a step, if there are so many in all; at least 2 where there are unlabelled
   *     rows
   * @param seed of the shuffles
   * @param lengths of all examples; empty where all have the same
   */
  public EpochOrder(int labelled, int unlabelled, int batch, long seed, int[] lengths) {
    this(labelled, unlabelled, Math.addExact(labelled, unlabelled), batch, seed, lengths);
  }

  private EpochOrder(int labelled, int unlabelled, int all, int batch, long seed, int[] lengths) {
    this(
        labelled,
        unlabelled,
        Math.min(batch, all),
        seed,
        lengths,
        Math.ceilDiv(all, Math.min(batch, all)));
  }

  /**
   * {@return the order over a set whose first {@code labelled} examples have labels}
   *
   * @param examples the examples
   * @param labelled number of examples with a label, which come first
   * @param batch number of examples in a batch
   * @param seed of the run
   */
  public static EpochOrder of(ExampleSet examples, int labelled, int batch, long seed) {
    int[] lengths = IntStream.range(0, examples.size()).map(examples::tokens).toArray();
    boolean same = IntStream.of(lengths).distinct().count() <= 1;
    return new EpochOrder(
        labelled, examples.size() - labelled, batch, seed, same ? new int[0] : lengths);
  }

  /** {@return the labelled rows alone, as many in each step and as many steps as before} */
  public EpochOrder withoutUnlabelled() {
    return new EpochOrder(labelled, 0, rows - unlabelledRows(), seed, lengths, steps);
  }

  private int unlabelledRows() {
    return Math.min(rows / 2, unlabelled);
  }

  /**
   * {@return example numbers of all steps of an epoch, {@code steps * rows} of them}
   *
   * @param epoch number of the epoch, from 0
   */
  public int[] epoch(int epoch) {
    int withoutLabel = unlabelledRows();
    int withLabel = rows - withoutLabel;
    int[] first = walk(labelled, 0, seed, epoch, withLabel);
    int[] second = walk(unlabelled, labelled, seed ^ UNLABELLED_SEED, epoch, withoutLabel);
    int[] order = new int[Math.multiplyExact(steps, rows)];
    for (int step = 0; step < steps; step++) {
      System.arraycopy(first, step * withLabel, order, step * rows, withLabel);
      System.arraycopy(second, step * withoutLabel, order, step * rows + withLabel, withoutLabel);
    }
    return order;
  }

  /** The rows of one kind, {@code each} for every step. */
  private int[] walk(int count, int from, long kindSeed, int epoch, int each) {
    int[] order = new int[Math.multiplyExact(steps, each)];
    Walk walk = new Walk(count, kindSeed, (long) epoch * order.length);
    for (int i = 0; i < order.length; i++) {
      order[i] = from + walk.next();
    }
    return lengths.length == 0 || each == 0
        ? order
        : LengthBuckets.arrange(order, lengths, each, count, seed, epoch);
  }

  /** An endless shuffled walk over {@code count} rows, entered at any position. */
  private static final class Walk {
    private final int count;
    private final long seed;
    private long position;
    private long pass = -1;
    private int[] permutation = {};

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
