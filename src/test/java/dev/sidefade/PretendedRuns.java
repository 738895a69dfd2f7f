package dev.sidefade;

import dev.sidefade.report.MetricsJson;
import dev.sidefade.report.RunReport;
import dev.sidefade.report.RunReport.Latency;
import dev.sidefade.report.RunReportBuilder;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.ToDoubleFunction;

/** Adaptations that train nothing: they only write down what they were asked for. */
public final class PretendedRuns implements Comparison.Runner {
  private final List<AdaptConfig> asked = new ArrayList<>();
  private final ToDoubleFunction<AdaptConfig> score;
  private int most = Integer.MAX_VALUE;
  private boolean hashes;

  PretendedRuns(ToDoubleFunction<AdaptConfig> score) {
    this.score = score;
  }

  /** Every run but the first {@code runs} is killed after it has written a checkpoint. */
  PretendedRuns killedAfter(int runs) {
    most = runs;
    return this;
  }

  /** Every run says what its backbone held. */
  PretendedRuns ofTheFiles() {
    hashes = true;
    return this;
  }

  List<AdaptConfig> asked() {
    return asked;
  }

  /** What a run with this test score reports. */
  public static RunReport report(AdaptConfig config, double score) {
    return pretended(config, score).build();
  }

  private static RunReportBuilder pretended(AdaptConfig config, double score) {
    boolean side = config.side() != SideKind.NONE;
    boolean tuned = config.tune().kind() != Tune.Kind.NONE;
    RunReportBuilder builder =
        RunReport.builder("pretended")
            .seed(config.seed())
            .seconds(10 + config.seed())
            .config(ConfigText.of(config))
            .environment("java", "25")
            .memoryBytes(RunReport.TRAINING_PEAK, 1 << 20)
            .parameters(RunReport.TUNED, tuned ? 1000 : 0)
            .parameters(RunReport.SIDE, side ? 7000 : 0)
            .accuracy(RunReport.VAL, RunReport.LINEAR_PROBE, 0.25);
    if (tuned) {
      builder
          .accuracy(RunReport.TEST, RunReport.FADED, score)
          .accuracy(RunReport.VAL, RunReport.FADED, score - 0.125)
          .latency(RunReport.BATCH_1, RunReport.FADED, new Latency(2, 1, 3));
    }
    if (side) {
      builder
          .accuracy(RunReport.TEST, RunReport.SIDE, tuned ? score - 0.0625 : score)
          .accuracy(RunReport.VAL, RunReport.SIDE, 0.5)
          .latency(RunReport.BATCH_1, RunReport.KEPT, new Latency(3, 2, 4));
    }
    return builder;
  }

  @Override
  public AdaptResult adapt(AdaptConfig config, ProgressListener progress) throws IOException {
    asked.add(config);
    Path out = config.out();
    if (Files.exists(out) && !config.resume()) {
      throw new IOException(out + " exists and was not asked to be resumed");
    }
    Files.createDirectories(out);
    Files.writeString(out.resolve("checkpoint.safetensors"), "half a run");
    if (asked.size() > most) {
      throw new IOException("killed");
    }
    RunReportBuilder pretended = pretended(config, score.applyAsDouble(config));
    if (hashes) {
      InputHashes.of(config).forEach(pretended::environment);
    }
    RunReport report = pretended.build();
    Path metrics = out.resolve("metrics.json");
    MetricsJson.write(report, metrics);
    return new AdaptResult(
        Optional.empty(),
        Optional.empty(),
        Optional.empty(),
        metrics,
        out.resolve("report.html"),
        report);
  }
}
