package dev.sidefade.kernels;

/** Where the ladder's token mask acts. A masked token has keep value 0. */
public enum MaskPlacement {
  /** On the side state: masked tokens take the backbone's projection only (coefficient 1). */
  STATE,
  /**
   * On the ladder input: masked tokens take the side state only (coefficient 0); their features are
   * not read.
   */
  INPUT
}
