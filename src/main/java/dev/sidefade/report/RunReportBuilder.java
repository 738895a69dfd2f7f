package dev.sidefade.report;

import dev.sidefade.report.RunReport.Confusion;
import dev.sidefade.report.RunReport.EpochRow;
import dev.sidefade.report.RunReport.Latency;
import dev.sidefade.report.RunReport.PredictionSample;
import dev.sidefade.report.RunReport.TapSnapshot;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Collects a {@link RunReport} piece by piece; what is never given counts as not measured. */
public final class RunReportBuilder {
  private final String title;
  private String task = "classification";
  private List<String> classNames = List.of();
  private long seed;
  private String device = "cpu";
  private double seconds = Double.NaN;
  private Map<String, Object> config = Map.of();
  private final List<EpochRow> history = new ArrayList<>();
  private String scoreName = RunReport.ACCURACY;
  private final Map<String, Map<String, Map<String, Double>>> measures = new LinkedHashMap<>();
  private final Map<String, Map<String, Double>> withoutUnlabelled = new LinkedHashMap<>();
  private final Map<String, Map<String, Latency>> latencyMs = new LinkedHashMap<>();
  private final Map<String, Long> parameters = new LinkedHashMap<>();
  private final Map<String, Long> memoryBytes = new LinkedHashMap<>();
  private final Map<String, Long> fileBytes = new LinkedHashMap<>();
  private final List<RunReport.Export> exports = new ArrayList<>();
  private Optional<Confusion> confusion = Optional.empty();
  private List<String> tapNames = List.of();
  private final List<TapSnapshot> tapSnapshots = new ArrayList<>();
  private final List<PredictionSample> predictions = new ArrayList<>();
  private final Map<String, String> environment = new LinkedHashMap<>();
  private final List<String> notes = new ArrayList<>();

  RunReportBuilder(String title) {
    this.title = title;
  }

  public RunReportBuilder task(String kind) {
    task = kind;
    return this;
  }

  /** In the order of the model's outputs. */
  public RunReportBuilder classNames(List<String> names) {
    classNames = names;
    return this;
  }

  public RunReportBuilder seed(long value) {
    seed = value;
    return this;
  }

  public RunReportBuilder device(String name) {
    device = name;
    return this;
  }

  /** Seconds of the whole run. */
  public RunReportBuilder seconds(double value) {
    seconds = value;
    return this;
  }

  /** Every option of the run by name. */
  public RunReportBuilder config(Map<String, Object> options) {
    config = options;
    return this;
  }

  public RunReportBuilder epoch(EpochRow row) {
    history.add(row);
    return this;
  }

  /** The measure by which models are compared; accuracy unless another is named. */
  public RunReportBuilder scoreName(String measure) {
    scoreName = measure;
    return this;
  }

  /** A measure of a model on a split, all three named by the constants of {@link RunReport}. */
  public RunReportBuilder measure(String measure, String split, String model, double value) {
    measures
        .computeIfAbsent(measure, m -> new LinkedHashMap<>())
        .computeIfAbsent(split, s -> new LinkedHashMap<>())
        .put(model, value);
    return this;
  }

  /** As {@link #measure} for {@link RunReport#ACCURACY}: a share in [0, 1]. */
  public RunReportBuilder accuracy(String split, String model, double share) {
    return measure(RunReport.ACCURACY, split, model, share);
  }

  /** The score of a model on a split when it is trained without the rows that have no labels. */
  public RunReportBuilder withoutUnlabelled(String split, String model, double value) {
    withoutUnlabelled.computeIfAbsent(split, s -> new LinkedHashMap<>()).put(model, value);
    return this;
  }

  /**
   * Milliseconds per call of a model at a batch size, named by the constants of {@link RunReport}.
   */
  public RunReportBuilder latency(String batch, String model, Latency latency) {
    latencyMs.computeIfAbsent(batch, b -> new LinkedHashMap<>()).put(model, latency);
    return this;
  }

  public RunReportBuilder parameters(String part, long count) {
    parameters.put(part, count);
    return this;
  }

  public RunReportBuilder memoryBytes(String what, long bytes) {
    memoryBytes.put(what, bytes);
    return this;
  }

  public RunReportBuilder fileBytes(String file, long bytes) {
    fileBytes.put(file, bytes);
    return this;
  }

  /** A file of the adapted model in another precision, opset or format. */
  public RunReportBuilder export(RunReport.Export file) {
    exports.add(file);
    return this;
  }

  /** {@code counts[truth][predicted]} over the rows of a split, as many rows as class names. */
  public RunReportBuilder confusion(String split, long[][] counts) {
    confusion = Optional.of(new Confusion(split, counts));
    return this;
  }

  /** Names of the side network's taps, the shallowest first. */
  public RunReportBuilder tapNames(List<String> names) {
    tapNames = names;
    return this;
  }

  public RunReportBuilder tapSnapshot(TapSnapshot snapshot) {
    tapSnapshots.add(snapshot);
    return this;
  }

  public RunReportBuilder prediction(PredictionSample sample) {
    predictions.add(sample);
    return this;
  }

  public RunReportBuilder environment(String name, String value) {
    environment.put(name, value);
    return this;
  }

  /** A plain sentence for the reader. */
  public RunReportBuilder note(String sentence) {
    notes.add(sentence);
    return this;
  }

  /** Throws IllegalArgumentException where the pieces do not fit each other. */
  public RunReport build() {
    return new RunReport(
        title,
        task,
        classNames,
        seed,
        device,
        seconds,
        config,
        history,
        scoreName,
        measures,
        withoutUnlabelled,
        latencyMs,
        parameters,
        memoryBytes,
        fileBytes,
        exports,
        confusion,
        tapNames,
        tapSnapshots,
        predictions,
        environment,
        notes);
  }
}
