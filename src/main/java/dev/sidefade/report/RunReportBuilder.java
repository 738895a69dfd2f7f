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

  /**
   * What was learned.
   *
   * @param kind as on the command line
   * @return this builder
   */
  public RunReportBuilder task(String kind) {
    task = kind;
    return this;
  }

  /**
   * In the order of the model's outputs.
   *
   * @param names the names, in order
   * @return this builder
   */
  public RunReportBuilder classNames(List<String> names) {
    classNames = names;
    return this;
  }

  /**
   * What the random numbers followed from.
   *
   * @param value the seed
   * @return this builder
   */
  public RunReportBuilder seed(long value) {
    seed = value;
    return this;
  }

  /**
   * What computed.
   *
   * @param name of the device, for people
   * @return this builder
   */
  public RunReportBuilder device(String name) {
    device = name;
    return this;
  }

  /**
   * Seconds of the whole run.
   *
   * @param value the figure
   * @return this builder
   */
  public RunReportBuilder seconds(double value) {
    seconds = value;
    return this;
  }

  /**
   * Every option of the run by name.
   *
   * @param options values by name
   * @return this builder
   */
  public RunReportBuilder config(Map<String, Object> options) {
    config = options;
    return this;
  }

  /**
   * One more epoch, behind the others.
   *
   * @param row its figures
   * @return this builder
   */
  public RunReportBuilder epoch(EpochRow row) {
    history.add(row);
    return this;
  }

  /**
   * The measure by which models are compared; accuracy unless another is named.
   *
   * @param measure name of the measure
   * @return this builder
   */
  public RunReportBuilder scoreName(String measure) {
    scoreName = measure;
    return this;
  }

  /**
   * A measure of a model on a split, all three named by the constants of {@link RunReport}.
   *
   * @param measure name of the measure
   * @param split name of the split
   * @param model the model
   * @param value the figure
   * @return this builder
   */
  public RunReportBuilder measure(String measure, String split, String model, double value) {
    measures
        .computeIfAbsent(measure, m -> new LinkedHashMap<>())
        .computeIfAbsent(split, s -> new LinkedHashMap<>())
        .put(model, value);
    return this;
  }

  /**
   * As {@link #measure} for {@link RunReport#ACCURACY}: a share in [0, 1].
   *
   * @param split name of the split
   * @param model the model
   * @param share in [0, 1]
   * @return this builder
   */
  public RunReportBuilder accuracy(String split, String model, double share) {
    return measure(RunReport.ACCURACY, split, model, share);
  }

  /**
   * The score of a model on a split when it is trained without the rows that have no labels.
   *
   * @param split name of the split
   * @param model the model
   * @param value the figure
   * @return this builder
   */
  public RunReportBuilder withoutUnlabelled(String split, String model, double value) {
    withoutUnlabelled.computeIfAbsent(split, s -> new LinkedHashMap<>()).put(model, value);
    return this;
  }

  /**
   * Milliseconds per call of a model at a batch size, named by the constants of {@link RunReport}.
   *
   * @param batch name of the batch size
   * @param model the model
   * @param latency milliseconds per call
   * @return this builder
   */
  public RunReportBuilder latency(String batch, String model, Latency latency) {
    latencyMs.computeIfAbsent(batch, b -> new LinkedHashMap<>()).put(model, latency);
    return this;
  }

  /**
   * A number of parameters.
   *
   * @param part of the networks that has them
   * @param count of single values
   * @return this builder
   */
  public RunReportBuilder parameters(String part, long count) {
    parameters.put(part, count);
    return this;
  }

  /**
   * A peak of memory.
   *
   * @param what it was needed for
   * @param bytes at the peak
   * @return this builder
   */
  public RunReportBuilder memoryBytes(String what, long bytes) {
    memoryBytes.put(what, bytes);
    return this;
  }

  /**
   * Size of a file that was written.
   *
   * @param file its name
   * @param bytes its size
   * @return this builder
   */
  public RunReportBuilder fileBytes(String file, long bytes) {
    fileBytes.put(file, bytes);
    return this;
  }

  /**
   * Adds a file of the adapted model in another precision, opset or format.
   *
   * @param file the file and what was measured of it
   * @return this builder
   */
  public RunReportBuilder export(RunReport.Export file) {
    exports.add(file);
    return this;
  }

  /**
   * {@code counts[truth][predicted]} over the rows of a split, as many rows as class names.
   *
   * @param split name of the split
   * @param counts counts[truth][predicted]
   * @return this builder
   */
  public RunReportBuilder confusion(String split, long[][] counts) {
    confusion = Optional.of(new Confusion(split, counts));
    return this;
  }

  /**
   * Names of the side network's taps, the shallowest first.
   *
   * @param names the names, in order
   * @return this builder
   */
  public RunReportBuilder tapNames(List<String> names) {
    tapNames = names;
    return this;
  }

  /**
   * The ladder at the end of one more epoch.
   *
   * @param snapshot its gates
   * @return this builder
   */
  public RunReportBuilder tapSnapshot(TapSnapshot snapshot) {
    tapSnapshots.add(snapshot);
    return this;
  }

  /**
   * One more example.
   *
   * @param sample what the faded model says about it
   * @return this builder
   */
  public RunReportBuilder prediction(PredictionSample sample) {
    predictions.add(sample);
    return this;
  }

  /**
   * A version or a fact of the machine.
   *
   * @param name what it is of
   * @param value as text
   * @return this builder
   */
  public RunReportBuilder environment(String name, String value) {
    environment.put(name, value);
    return this;
  }

  /**
   * A plain sentence for the reader.
   *
   * @param sentence for people
   * @return this builder
   */
  public RunReportBuilder note(String sentence) {
    notes.add(sentence);
    return this;
  }

  /**
   * Throws IllegalArgumentException where the pieces do not fit each other.
   *
   * @return the report
   */
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
