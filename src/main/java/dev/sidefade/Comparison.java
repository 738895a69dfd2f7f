package dev.sidefade;

import dev.sidefade.report.CompareFiles;
import dev.sidefade.report.CompareReport;
import dev.sidefade.report.RunMetrics;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;

/**
 * Runs several ways to adapt on the same data and seeds, and tabulates them. Everything that is
 * finished survives a kill: the same call goes on where the last one ended.
 */
public final class Comparison {
  /** Settings that a comparison decides for each run. */
  private static final List<String> OF_A_RUN = List.of("out", "seed", "resume");

  private final CompareConfig config;
  private final CompareFolder folder;
  private final Map<CompareVariant, List<RunMetrics>> done = new EnumMap<>(CompareVariant.class);

  /** What adapts: {@link Sidefade#adapt(AdaptConfig, ProgressListener)}. */
  @FunctionalInterface
  public interface Runner {
    /**
     * Adapts, and writes {@code metrics.json} last into the folder of the configuration.
     *
     * @param config what is asked for
     * @param progress is told of phases and steps
     * @return what was made
     * @throws IOException if files cannot be read or written
     */
    AdaptResult adapt(AdaptConfig config, ProgressListener progress) throws IOException;
  }

  private Comparison(CompareConfig config) {
    this.config = config;
    folder = new CompareFolder(config.shared().out());
    config.variants().forEach(variant -> done.put(variant, new ArrayList<>()));
  }

  /**
   * As {@link #run(CompareConfig, ProgressListener, Runner)} with {@link Sidefade}.
   *
   * @param config what is asked for
   * @param progress is told of phases and steps
   * @return where the tables are, and their figures
   * @throws IOException if files cannot be read or written
   */
  public static CompareResult run(CompareConfig config, ProgressListener progress)
      throws IOException {
    return run(config, progress, Sidefade::adapt);
  }

  /**
   * Runs every variant with every seed, all variants of a seed before the next seed, each into
   * {@code OUT/VARIANT/seed-N}. A run that is finished is not repeated, one that was begun goes on
   * from its checkpoint. After every run {@code compare.json}, {@code compare.md} and {@code
   * compare.html} in {@code OUT} are written anew.
   *
   * @param config what is asked for
   * @param progress is told of phases and steps
   * @param runner adapts each time
   * @return where the tables are, and their figures
   * @throws dev.sidefade.tensor.BadInputException if something given cannot be used, or the folder
   *     holds something else or runs with other settings
   * @throws dev.sidefade.train.DivergedException if a run diverges; what is finished stays
   * @throws IOException if files cannot be read or written
   */
  public static CompareResult run(CompareConfig config, ProgressListener progress, Runner runner)
      throws IOException {
    return new Comparison(config).run(progress, runner);
  }

  /** A run that is asked for. */
  private record Run(CompareVariant variant, AdaptConfig config) {}

  private CompareResult run(ProgressListener progress, Runner runner) throws IOException {
    folder.check();
    // all of them before anything is run: other settings would be found out hours later
    List<Run> missing = missing();
    CompareReport report = report();
    if (report.finished() > 0) {
      CompareFiles.write(report, folder.root());
    }
    for (Run run : missing) {
      progress.note(
          "run %d of %d: %s, seed %d"
              .formatted(
                  report.finished() + 1, report.wanted(), run.variant.text(), run.config.seed()));
      Objects.requireNonNull(done.get(run.variant)).add(run(run.config, progress, runner));
      report = report();
      CompareFiles.write(report, folder.root());
    }
    Path out = folder.root();
    return new CompareResult(
        report,
        out.resolve(CompareFiles.JSON),
        out.resolve(CompareFiles.MARKDOWN),
        out.resolve(CompareFiles.HTML));
  }

  /** Takes what is finished, and lists the rest. */
  private List<Run> missing() throws IOException {
    List<Run> missing = new ArrayList<>();
    Map<AdaptConfig, RunMetrics> all = new LinkedHashMap<>();
    for (long seed : config.seeds()) {
      for (CompareVariant variant : config.variants()) {
        AdaptConfig run = variant.of(config.shared(), seed, folder.run(variant, seed));
        Optional<RunMetrics> finished = CompareFolder.finished(run);
        finished.ifPresent(metrics -> all.put(run, metrics));
        finished.ifPresent(Objects.requireNonNull(done.get(variant))::add);
        if (finished.isEmpty()) {
          missing.add(new Run(variant, run));
        }
      }
    }
    CompareFolder.requireSameFiles(config.shared(), all);
    return missing;
  }

  private static RunMetrics run(AdaptConfig run, ProgressListener progress, Runner runner)
      throws IOException {
    boolean goOn = CompareFolder.isStarted(run.out());
    runner.adapt(CompareSettings.copyOf(run).resume(goOn).build(), progress);
    return CompareFolder.finished(run)
        .orElseThrow(() -> new IOException("the run in " + run.out() + " left no metrics.json"));
  }

  private CompareReport report() {
    AdaptConfig shared = config.shared();
    List<CompareReport.Variant> variants = new ArrayList<>();
    for (CompareVariant variant : config.variants()) {
      List<RunMetrics> runs = new ArrayList<>(done.get(variant));
      runs.sort(Comparator.comparingInt(run -> config.seeds().indexOf(run.seed())));
      variants.add(
          new CompareReport.Variant(
              variant.text(), variant.description(), variant.network(), runs));
    }
    Map<String, Object> settings = new LinkedHashMap<>(ConfigText.of(shared));
    settings.keySet().removeAll(OF_A_RUN);
    return new CompareReport(
        "Sidefade: ways to adapt " + shared.backbone().getFileName() + " to " + shared.train(),
        config.seeds(),
        variants,
        settings);
  }
}
