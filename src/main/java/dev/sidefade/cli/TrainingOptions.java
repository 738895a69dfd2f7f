package dev.sidefade.cli;

import dev.sidefade.AdaptConfig;
import dev.sidefade.GradientMode;
import java.util.Optional;
import picocli.CommandLine.Option;

/** How long, how fast and with which brakes. */
final class TrainingOptions {
  @Option(
      names = "--epochs",
      paramLabel = "N",
      description = "Passes over the training examples (default: 40, for texts 6).")
  private Integer epochs;

  @Option(
      names = "--batch",
      paramLabel = "N",
      description = "Examples per step (default: ${DEFAULT-VALUE}).")
  private int batch;

  @Option(
      names = "--lr-side",
      paramLabel = "X",
      description = "Learning rate of the side network (default: 0.003).")
  private Double learningRateSide;

  @Option(
      names = "--lr-head",
      paramLabel = "X",
      description = "Learning rate of the output layer (default: 0.003, for texts 0.001).")
  private Double learningRateHead;

  @Option(
      names = "--lr-norm",
      paramLabel = "X",
      description = "Learning rate of layer norms and biases (default: 0.005, for texts 0.002).")
  private Double learningRateNorm;

  @Option(
      names = "--lr-low-rank",
      paramLabel = "X",
      description = "Learning rate of the low-rank changes (default: 0.005, for texts 0.001).")
  private Double learningRateLowRank;

  @Option(
      names = "--measure-unlabelled",
      negatable = true,
      fallbackValue = "true",
      description =
          "Where there are unlabelled rows: train once more without them, so that the report can"
              + " say what they are worth (default: ${DEFAULT-VALUE}).")
  private boolean measureUnlabelled;

  @Option(
      names = "--label-smoothing",
      paramLabel = "X",
      description = "Share of each label spread over all classes (default: ${DEFAULT-VALUE}).")
  private double labelSmoothing;

  @Option(
      names = "--weight-decay",
      paramLabel = "X",
      description = "Not on biases, norms, gates and mask tokens (default: ${DEFAULT-VALUE}).")
  private double weightDecay;

  @Option(
      names = "--warmup",
      paramLabel = "STEPS",
      description =
          "Steps over which the learning rates rise, at most a quarter of all (default:"
              + " ${DEFAULT-VALUE}).")
  private int warmupSteps;

  @Option(
      names = "--clip",
      paramLabel = "X",
      description = "Largest norm of a gradient; 0 = not clipped (default: ${DEFAULT-VALUE}).")
  private double clipNorm;

  @Option(
      names = "--backbone-every",
      paramLabel = "N",
      description =
          "The backbone's constants are updated every N steps (default: ${DEFAULT-VALUE}).")
  private int backboneEvery;

  @Option(
      names = "--gradient-memory",
      paramLabel = "auto|stored|taps",
      description =
          "What is kept of the backbone's pass for gradients inside it: all that they need, which"
              + " is fastest, or the block outputs, from which one block at a time is computed"
              + " again. Both are exact; auto stores while that is small"
              + " (default: ${DEFAULT-VALUE}).")
  private GradientMode gradientMode;

  @Option(
      names = "--micro-batch",
      paramLabel = "N",
      description =
          "Examples that go through the backbone at once for these gradients: fewer need less"
              + " memory and change nothing else; 0 = the batch (default: ${DEFAULT-VALUE}).")
  private int microBatch;

  @Option(
      names = "--patience",
      paramLabel = "N",
      description =
          "Stop after N epochs without a better validation score; 0 = never"
              + " (default: ${DEFAULT-VALUE}).")
  private int patience;

  void applyTo(AdaptConfig.Builder builder) {
    builder
        .batch(batch)
        .gradientMode(gradientMode)
        .microBatch(microBatch)
        .labelSmoothing(labelSmoothing)
        .measureUnlabelled(measureUnlabelled)
        .weightDecay(weightDecay)
        .warmupSteps(warmupSteps)
        .clipNorm(clipNorm)
        .backboneEvery(backboneEvery)
        .patience(patience);
    // those that are not given depend on the task
    Optional.ofNullable(epochs).ifPresent(builder::epochs);
    Optional.ofNullable(learningRateSide).ifPresent(builder::learningRateSide);
    Optional.ofNullable(learningRateHead).ifPresent(builder::learningRateHead);
    Optional.ofNullable(learningRateNorm).ifPresent(builder::learningRateNorm);
    Optional.ofNullable(learningRateLowRank).ifPresent(builder::learningRateLowRank);
  }
}
