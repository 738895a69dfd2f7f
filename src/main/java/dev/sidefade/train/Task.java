package dev.sidefade.train;

/** What is learned. */
public enum Task {
  /** One class for each example. */
  CLASSES,
  /** One number for each example. */
  REGRESSION,
  /** One class for each token. */
  TOKENS
}
