package dev.sidefade.backbone;

import dev.sidefade.tensor.BadInputException;

/**
 * What a {@link TunedTrunk} keeps between the forward and the backward run. All ways give the same
 * gradients; they trade memory for time.
 *
 * @param kind what is kept
 * @param rows rows that are computed at once when {@link Kind#MICRO_BATCH}; 0 otherwise
 */
public record GradientMemory(Kind kind, long rows) {

  /** What is kept. */
  public enum Kind {
    /** Everything that the backward run needs: fastest, largest. */
    STORED,
    /** Nothing: forward and backward are run over a few rows after the other. */
    MICRO_BATCH,
    /** The taps: each block is computed again when its turn comes. */
    TAPS
  }

  /** Everything that the backward run needs. */
  public static final GradientMemory STORED = new GradientMemory(Kind.STORED, 0);

  /** The taps, for one more forward run. */
  public static final GradientMemory TAPS = new GradientMemory(Kind.TAPS, 0);

  /** Refuses a micro-batch without rows. */
  public GradientMemory {
    if (kind == Kind.MICRO_BATCH ? rows < 1 : rows != 0) {
      throw new BadInputException(
          "a micro-batch of " + rows + " rows was asked for; give 1 or more rows");
    }
  }

  /**
   * {@return the way in which nothing is kept and the batch is cut into parts of at most so many
   * rows}
   *
   * @param rows at least 1
   */
  public static GradientMemory microBatch(long rows) {
    return new GradientMemory(Kind.MICRO_BATCH, rows);
  }
}
