package dev.sidefade.cli;

import dev.sidefade.AdaptConfig;
import dev.sidefade.SideKind;
import dev.sidefade.SideView;
import dev.sidefade.Tune;
import dev.sidefade.kernels.Pooling;
import dev.sidefade.tensor.BadInputException;
import picocli.CommandLine.Option;

/** What is tuned in the backbone, and what is trained beside it. */
final class NetworkOptions {
  @Option(
      names = "--tune",
      paramLabel = "KIND",
      description = {
        "What is tuned in the backbone (default: ${DEFAULT-VALUE}):",
        "none: nothing, the side network stays.",
        "head: a new output layer, as in all that follow.",
        "final-norm: and the last layer norm. Like head, it needs no pass through the backbone"
            + " while it trains.",
        "norms[:K]: and the layer norms of all or the last K blocks.",
        "biases[:K]: and the biases of their linear layers.",
        "low-rank:R[:K]: the norms, and a change of rank R of every weight of these blocks.",
        "The last three take exact gradients through the backbone's graph: a step costs two to"
            + " four forward passes. At inference all kinds cost nothing: what was tuned is folded"
            + " into the backbone's own constants."
      })
  private Tune tune;

  @Option(
      names = "--readout",
      paramLabel = "cls|mean|cls+mean",
      description =
          "Which tokens the output layer reads: the first, the mean of the patches or"
              + " words, or both"
              + " (default: as the backbone does).")
  private Pooling readout;

  @Option(
      names = "--side",
      paramLabel = "transformer|adapter|none",
      description = "Blocks of the side network (default: ${DEFAULT-VALUE}).")
  private SideKind side;

  @Option(
      names = "--side-width",
      paramLabel = "N",
      description = "Width of the side network (default: a quarter of the backbone's).")
  private Integer sideWidth;

  @Option(
      names = "--taps",
      paramLabel = "all|LIST",
      description =
          "Block outputs that the side network reads, such as 0,2,4 or 1-3; 0 is the embeddings"
              + " (default: ${DEFAULT-VALUE}).")
  private LayerList taps;

  @Option(
      names = "--side-view",
      paramLabel = "frozen|tuned",
      description =
          "Whether the side network reads the pretrained backbone, which is computed once, or the"
              + " backbone as it is tuned (default: ${DEFAULT-VALUE}).")
  private SideView sideView;

  void applyTo(AdaptConfig.Builder builder) {
    builder.tune(tune).side(side).sideView(sideView);
    if (readout != null) {
      builder.readout(readout);
    }
    if (sideWidth != null) {
      builder.sideWidth(sideWidth);
    }
    if (!taps.all() && taps.numbers().isEmpty()) {
      throw new BadInputException(
          "--taps names no tap: give numbers such as 0,2,4, or all, or train no side network with"
              + " --side none");
    }
    builder.taps(taps.numbers());
  }
}
