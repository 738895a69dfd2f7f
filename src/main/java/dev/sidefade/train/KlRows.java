package dev.sidefade.train;

/** Which rows of a batch the logit path's teacher speaks to. */
public enum KlRows {
  /** All. */
  ALL,
  /** Those without a label. */
  UNLABELLED,
  /**
   * Those on which its own probability of a class is above {@link #SURE_ABOVE}; all in a
   * regression.
   */
  SURE;

  /** Probability above which a teacher counts as sure. */
  public static final float SURE_ABOVE = 0.9f;
}
