package dev.sidefade.side;

import dev.sidefade.kernels.MaskPlacement;
import dev.sidefade.kernels.Pooling;
import dev.sidefade.tensor.BadInputException;
import java.util.List;

/**
 * Shape of a side network.
 *
 * @param kind of its blocks
 * @param tapWidths width of each tap that it reads, the first being the state's start; at least two
 * @param width D_S of the side state
 * @param heads attention heads; the width is a multiple of it
 * @param hidden width of the MLP, or of the adapter's bottleneck
 * @param pooling of its read-out
 * @param classes number of logits
 * @param epsilon of its layer norms
 * @param tau temperature of the gates, sigmoid(a / tau)
 * @param placement where the token mask acts
 */
public record SideConfig(
    BlockKind kind,
    List<Integer> tapWidths,
    int width,
    int heads,
    int hidden,
    Pooling pooling,
    int classes,
    float epsilon,
    float tau,
    MaskPlacement placement) {
  /** Refuses fewer than two taps and sizes that are not positive. */
  public SideConfig {
    tapWidths = List.copyOf(tapWidths);
    if (tapWidths.size() < 2) {
      throw new BadInputException(
          "a side network needs at least two taps, got " + tapWidths.size() + ": choose more taps");
    }
    if (width < 1 || hidden < 1 || classes < 1) {
      throw new BadInputException(
          "side width, hidden width and classes must be positive, got "
              + width
              + ", "
              + hidden
              + ", "
              + classes);
    }
    if (kind == BlockKind.TRANSFORMER && (heads < 1 || width % heads != 0)) {
      throw new BadInputException(
          "a side width of "
              + width
              + " cannot be divided by "
              + heads
              + " heads: choose a width that is a multiple of the number of heads");
    }
  }

  /** {@return number of side blocks: one per tap but the first} */
  public int blocks() {
    return tapWidths.size() - 1;
  }
}
