package dev.sidefade.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import dev.sidefade.AdaptConfig;
import dev.sidefade.AdaptResult;
import dev.sidefade.PretendedRuns;
import dev.sidefade.report.MetricsJson;
import dev.sidefade.report.RunReport;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** Runs the command line inside the test. */
final class Cli {
  private Cli() {}

  /** What one run left behind. */
  record Outcome(int code, String out, String err) {
    /**
     * The one sentence of an error: exit code 2, nothing on the standard output, no stack trace.
     */
    String refusal() {
      assertEquals(2, code, err);
      assertEquals("", out);
      return sentence();
    }

    /** The one line on the error stream. */
    String sentence() {
      assertEquals(1, err.lines().count(), err);
      assertFalse(err.contains("\tat "), err);
      return err.strip();
    }
  }

  static Outcome run(AdaptRun adapt, String... args) {
    StringWriter out = new StringWriter();
    StringWriter err = new StringWriter();
    int code = Main.run(adapt, new PrintWriter(out), new PrintWriter(err), args);
    return new Outcome(code, out.toString(), err.toString());
  }

  static Outcome run(String... args) {
    return run(
        (config, progress) -> {
          throw new AssertionError("nothing must be adapted here");
        },
        args);
  }

  /** What {@code adapt} with these options would run. */
  static AdaptConfig config(String... options) {
    List<AdaptConfig> seen = new ArrayList<>();
    List<String> args = new ArrayList<>(List.of("adapt"));
    args.addAll(List.of(options));
    Outcome outcome =
        run(
            (config, progress) -> {
              seen.add(config);
              throw new IOException("enough was seen");
            },
            args.toArray(String[]::new));
    assertEquals(1, seen.size(), outcome.err());
    return seen.getFirst();
  }

  /** An adaptation that only writes metrics.json. */
  static AdaptRun writing(RunReport report) {
    return (config, progress) -> {
      progress.phase("training", 20);
      for (int step = 1; step <= 20; step++) {
        progress.step(step, "loss 1.0");
      }
      progress.note("2 images were left out");
      progress.phaseDone();
      Files.createDirectories(config.out());
      Path metrics = config.out().resolve("metrics.json");
      MetricsJson.write(report, metrics);
      return new AdaptResult(
          Optional.of(config.out().resolve("model.onnx")),
          Optional.empty(),
          Optional.empty(),
          metrics,
          config.out().resolve("report.html"),
          report);
    };
  }

  static RunReport report() {
    return RunReport.builder("a test")
        .accuracy(RunReport.TEST, RunReport.LINEAR_PROBE, 0.5)
        .accuracy(RunReport.TEST, RunReport.FADED, 0.75)
        .build();
  }

  /** What a pretended adaptation reports: it does as well as its seed. */
  static RunReport reportOf(AdaptConfig config) {
    return PretendedRuns.report(config, 0.5 + config.seed() / 100.0);
  }
}
