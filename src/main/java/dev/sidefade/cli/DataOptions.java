package dev.sidefade.cli;

import dev.sidefade.AdaptConfig;
import java.util.List;
import picocli.CommandLine.Option;

/** Further examples, and how images are prepared. */
final class DataOptions {
  @Option(
      names = "--unlabelled",
      paramLabel = "SRC",
      description =
          "More examples, whose labels are not looked at: the side network teaches on them.")
  private String unlabelled;

  @Option(
      names = "--val",
      paramLabel = "SRC",
      description =
          "Examples that choose between models (default: some are split off the training"
              + " examples).")
  private String validation;

  @Option(
      names = "--test",
      paramLabel = "SRC",
      description = "Examples that are measured at the end and used for nothing else.")
  private String test;

  @Option(
      names = "--flip",
      negatable = true,
      fallbackValue = "true",
      description = "Flip training images at random (default: ${DEFAULT-VALUE}).")
  private boolean flip;

  @Option(
      names = "--shift",
      paramLabel = "PIXELS",
      description =
          "Shift training images at random by so much at most (default: ${DEFAULT-VALUE}).")
  private int shift;

  @Option(
      names = "--token-dropout",
      paramLabel = "P",
      description =
          "Hide this share of a text's tokens at random from the backbone while its inside learns,"
              + " 0 to 1 (default: ${DEFAULT-VALUE}).")
  private double tokenDropout;

  @Option(
      names = "--mean",
      split = ",",
      paramLabel = "M",
      description = "Mean per channel, 0 to 1, instead of what stands beside the model.")
  private List<Double> mean;

  @Option(
      names = "--std",
      split = ",",
      paramLabel = "S",
      description = "Standard deviation per channel, likewise.")
  private List<Double> std;

  @Option(
      names = "--strict",
      negatable = true,
      fallbackValue = "true",
      description =
          "Refuse unreadable images instead of leaving them out with a count"
              + " (default: ${DEFAULT-VALUE}).")
  private boolean strict;

  void applyTo(AdaptConfig.Builder builder) {
    if (unlabelled != null) {
      builder.unlabelled(unlabelled);
    }
    if (validation != null) {
      builder.validation(validation);
    }
    if (test != null) {
      builder.test(test);
    }
    builder.flip(flip).shift(shift).tokenDropout(tokenDropout).strict(strict);
    if (mean != null) {
      builder.mean(mean);
    }
    if (std != null) {
      builder.std(std);
    }
  }
}
