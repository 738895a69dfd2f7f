package dev.sidefade;

/** Which side network is trained beside the backbone. */
public enum SideKind {
  /** Blocks of self-attention and MLP. */
  TRANSFORMER,
  /** Token-wise bottlenecks. */
  ADAPTER,
  /** None: the backbone's tuned constants are trained on labels alone. */
  NONE
}
