package dev.sidefade.distill;

/** Who teaches whom on a path. */
public enum Direction {
  /** The backbone is a constant, the side network learns. */
  BACKBONE_TO_SIDE,
  /** The side network is a constant, the backbone's tuned parameters learn. */
  SIDE_TO_BACKBONE,
  /** The path is not there. */
  OFF
}
