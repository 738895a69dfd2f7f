package dev.sidefade.backbone;

import dev.sidefade.onnx.Initializer;
import dev.sidefade.tensor.Shape;
import java.util.Optional;

/**
 * One constant inside a backbone that can be tuned.
 *
 * @param name under which it is fed and its gradient comes back
 * @param kind what it is
 * @param block the block that it is part of, from 1; 0 where it stands in front of the first one
 * @param shape as it is fed: [width] of a norm, [out] of a bias, [in, rank] of A, [rank, out] of B
 * @param present the present values of a norm or bias; empty for low-rank changes, which have none
 */
public record TunableConstant(
    String name, Kind kind, int block, Shape shape, Optional<Initializer> present) {

  /** What a constant is. */
  public enum Kind {
    /** What a layer norm multiplies by. */
    NORM_SCALE,
    /** What a layer norm adds. */
    NORM_SHIFT,
    /** What a linear layer adds. */
    BIAS,
    /** A of a change W + A B, [in, rank]. */
    LOW_RANK_IN,
    /** B of a change W + A B, [rank, out]; zeros leave the backbone as it was. */
    LOW_RANK_OUT
  }

  /** {@return whether this is one half of a low-rank change} */
  public boolean lowRank() {
    return kind == Kind.LOW_RANK_IN || kind == Kind.LOW_RANK_OUT;
  }
}
