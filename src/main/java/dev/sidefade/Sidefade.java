package dev.sidefade;

import java.io.IOException;
import java.time.Duration;

/** The one call: from a pretrained ONNX model and examples to an adapted ONNX model. */
public final class Sidefade {
  private static final Duration LATENCY_BUDGET = Duration.ofSeconds(4);

  private Sidefade() {}

  /**
   * As {@link #adapt(AdaptConfig, ProgressListener)}, in silence.
   *
   * @param config what is asked for
   * @return the files and the figures
   * @throws IOException if files cannot be read or written
   */
  public static AdaptResult adapt(AdaptConfig config) throws IOException {
    return adapt(config, ProgressListener.SILENT);
  }

  /**
   * Trains what the configuration asks for and writes {@code model.onnx}, {@code
   * delta.safetensors}, {@code kept.onnx}, {@code metrics.json} and {@code report.html} into its
   * folder. Same configuration, same bytes of the models.
   *
   * @param config what is asked for
   * @param progress is told of phases and steps
   * @return the files and the figures
   * @throws dev.sidefade.tensor.BadInputException if something given cannot be used, saying what
   *     and why
   * @throws dev.sidefade.train.DivergedException if a loss or gradient is not finite; the last
   *     checkpoint stays
   * @throws IOException if files cannot be read or written
   */
  public static AdaptResult adapt(AdaptConfig config, ProgressListener progress)
      throws IOException {
    return adapt(config, progress, LATENCY_BUDGET);
  }

  /**
   * @param latencyBudget time to measure each batch size for; zero = latencies are not measured
   */
  static AdaptResult adapt(AdaptConfig config, ProgressListener progress, Duration latencyBudget)
      throws IOException {
    try (Adaptation adaptation = new Adaptation(config, progress)) {
      return adaptation.run(latencyBudget);
    }
  }
}
