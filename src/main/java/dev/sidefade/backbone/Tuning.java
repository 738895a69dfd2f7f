package dev.sidefade.backbone;

import dev.sidefade.tensor.BadInputException;

/**
 * Which constants inside a backbone are tuned. The final norm and the head are none of them: they
 * are tuned outside the graph.
 *
 * @param withNorms whether scales and shifts of layer norms are tuned
 * @param withBiases whether biases of linear layers are tuned
 * @param rank rank of the changes A B of the linear layers' weights; 0 for no changes
 * @param lastBlocks how many of the last blocks are tuned; {@link #ALL} for all of them and the
 *     norms in front of the first one
 */
public record Tuning(boolean withNorms, boolean withBiases, int rank, int lastBlocks) {
  /** All blocks, and what stands in front of the first one, such as the norm of embeddings. */
  public static final int ALL = Integer.MAX_VALUE;

  /** Refuses a rank, a number of blocks or a choice that tunes nothing. */
  public Tuning {
    if (rank < 0) {
      throw new BadInputException(
          "the rank of low-rank changes is " + rank + "; give 1 or more, or 0 for none");
    }
    if (lastBlocks < 1) {
      throw new BadInputException(
          "the number of blocks to tune is " + lastBlocks + "; give 1 or more");
    }
    if (!withNorms && !withBiases && rank == 0) {
      throw new BadInputException("nothing is tuned; choose norms, biases or a rank");
    }
  }

  /** {@return all norms} */
  public static Tuning norms() {
    return norms(ALL);
  }

  /**
   * {@return the norms of the last blocks}
   *
   * @param lastBlocks number of blocks, counted from the end
   */
  public static Tuning norms(int lastBlocks) {
    return new Tuning(true, false, 0, lastBlocks);
  }

  /** {@return all norms and biases} */
  public static Tuning biases() {
    return biases(ALL);
  }

  /**
   * {@return the norms and biases of the last blocks}
   *
   * @param lastBlocks number of blocks, counted from the end
   */
  public static Tuning biases(int lastBlocks) {
    return new Tuning(true, true, 0, lastBlocks);
  }

  /**
   * {@return all norms, and a change of the given rank to every weight}
   *
   * @param rank columns of the first factor of a low-rank map, at least 1
   */
  public static Tuning lowRank(int rank) {
    return lowRank(rank, ALL);
  }

  /**
   * {@return the norms of the last blocks, and a change of the given rank to every weight there}
   *
   * @param rank columns of the first factor of a low-rank map, at least 1
   * @param lastBlocks number of blocks, counted from the end
   */
  public static Tuning lowRank(int rank, int lastBlocks) {
    return new Tuning(true, false, rank, lastBlocks);
  }

  /** The first block that is tuned; 0 where the embeddings are too. */
  int firstBlock(int blocks) {
    if (lastBlocks == ALL) {
      return 0;
    }
    if (lastBlocks > blocks) {
      throw new BadInputException(
          "the last "
              + lastBlocks
              + " blocks were to be tuned, but the backbone has "
              + blocks
              + "; give at most that many");
    }
    return blocks - lastBlocks + 1;
  }
}
