package dev.sidefade.distill;

/** How the share of masked tokens changes over training. */
public enum MaskSchedule {
  /** The same share throughout. */
  CONSTANT,
  /** From nothing to the full share, in a straight line: the side network's influence fades. */
  LINEAR,
  /** From nothing to the full share along half a cosine. */
  COSINE;

  /**
   * {@return share of tokens masked at this step}
   *
   * @param ratio the full share, in [0, 1]
   * @param step from 0
   * @param steps of the whole training
   */
  public float ratio(float ratio, long step, long steps) {
    double progress = steps <= 1 ? 1 : Math.min(1.0, (double) step / (steps - 1));
    return switch (this) {
      case CONSTANT -> ratio;
      case LINEAR -> (float) (ratio * progress);
      case COSINE -> (float) (ratio * 0.5 * (1 - StrictMath.cos(StrictMath.PI * progress)));
    };
  }
}
