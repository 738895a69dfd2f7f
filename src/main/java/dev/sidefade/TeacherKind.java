package dev.sidefade;

/** Who teaches predictions to the backbone. */
public enum TeacherKind {
  /** The side network. */
  SIDE,
  /**
   * The backbone itself: a running mean of all that learns in it, which sees what {@link
   * AdaptConfig#tokenDropout} hides from the student. From a third of the training on.
   */
  SELF
}
