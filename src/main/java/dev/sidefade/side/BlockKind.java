package dev.sidefade.side;

/** Kinds of side blocks. */
public enum BlockKind {
  /** Pre-norm self-attention and MLP at the side width. */
  TRANSFORMER,
  /** Token-wise bottleneck. */
  ADAPTER
}
