package dev.sidefade;

/** Which constants of the backbone are tuned. */
public enum Tune {
  /** None: only the side network is trained, and what ships keeps it. */
  NONE,
  /** The output layer, which is new. */
  HEAD,
  /** The output layer and the last layer norm. */
  FINAL_NORM
}
