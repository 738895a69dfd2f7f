package dev.sidefade.train;

/**
 * Linear warm-up, then half a cosine to zero.
 *
 * @param warmup steps of the warm-up
 * @param total steps of the whole training
 */
public record LearningRate(long warmup, long total) {
  /** Shortens the warm-up to a quarter of the whole: with few examples it would never end. */
  public LearningRate {
    warmup = Math.min(warmup, total / 4);
  }

  /**
   * {@return factor of the learning rates at this step, from 0; in (0, 1].}
   *
   * @param step from 0
   */
  public double factor(long step) {
    if (step < warmup) {
      return (step + 1.0) / warmup;
    }
    double progress = (double) (step - warmup) / Math.max(1, total - warmup);
    return 0.5 * (1 + StrictMath.cos(StrictMath.PI * Math.min(1, progress)));
  }
}
