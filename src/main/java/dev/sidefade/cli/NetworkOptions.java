package dev.sidefade.cli;

import dev.sidefade.AdaptConfig;
import dev.sidefade.SideKind;
import dev.sidefade.Tune;
import dev.sidefade.kernels.Pooling;
import dev.sidefade.tensor.BadInputException;
import picocli.CommandLine.Option;

/** What is tuned in the backbone, and what is trained beside it. */
final class NetworkOptions {
  @Option(
      names = "--tune",
      paramLabel = "none|head|final-norm",
      description =
          "What is tuned in the backbone: nothing, a new output layer, or that and the last layer"
              + " norm (default: ${DEFAULT-VALUE}).")
  private Tune tune;

  @Option(
      names = "--readout",
      paramLabel = "cls|mean|cls+mean",
      description =
          "Which tokens the output layer reads: the first, the mean of the patches, or both"
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

  void applyTo(AdaptConfig.Builder builder) {
    builder.tune(tune).side(side);
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
