package dev.sidefade;

/** What is kept of a forward pass for the gradients of constants inside the backbone. */
public enum GradientMode {
  /** All that the gradient needs while that is small, the taps otherwise. */
  AUTO,
  /** All that the gradient needs: fastest, largest. */
  STORED,
  /** The taps: every block is computed again when its turn comes. */
  TAPS
}
