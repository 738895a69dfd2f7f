package dev.sidefade;

/** What {@link StopAt} throws. */
final class Stopped extends RuntimeException {
  private static final long serialVersionUID = 1L;
}
