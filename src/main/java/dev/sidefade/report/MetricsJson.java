package dev.sidefade.report;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import dev.sidefade.report.RunReport.EpochRow;
import dev.sidefade.report.RunReport.Export;
import dev.sidefade.report.RunReport.Latency;
import dev.sidefade.report.RunReport.TapSnapshot;
import dev.sidefade.tensor.AtomicFile;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;

/**
 * {@code metrics.json}: the report for programs.
 *
 * <p>{@code score} names the measure by which models are compared. These are always there, null
 * where nothing was measured: {@code accuracy.{val,test}.{linear_probe,side,faded}} in [0, 1], for
 * tokens {@code f1} of the same form besides, for a regression {@code spearman}, {@code pearson}
 * and {@code mse} instead; {@code latency_ms.{batch1,batch32}.{original,faded,kept}}, medians in
 * milliseconds, and {@code latency_ms_range} with the same names and {@code {low, high}}; {@code
 * parameters.{backbone,tuned,side}}; {@code memory_bytes.{training_peak,taps,activations_kept}};
 * {@code file_bytes.{original,faded,kept,delta}}; {@code seconds}; {@code config}; {@code history};
 * {@code seed}; {@code device}; {@code versions}. Further names that a run measured stand beside
 * them. {@code exports} lists files in other precisions, opsets and formats, empty where there are
 * none. {@code without_unlabelled}, {@code confusion_matrix} and {@code ladder} are null where a
 * run has none. NaN and infinities are written as null.
 */
public final class MetricsJson {
  private static final List<String> SPLITS = List.of(RunReport.VAL, RunReport.TEST);
  private static final List<String> MODELS =
      List.of(RunReport.LINEAR_PROBE, RunReport.SIDE, RunReport.FADED);
  private static final List<String> BATCHES = List.of(RunReport.BATCH_1, RunReport.BATCH_32);
  private static final List<String> TIMED =
      List.of(RunReport.ORIGINAL, RunReport.FADED, RunReport.KEPT);

  private MetricsJson() {}

  /**
   * Writes the report into {@code file}, whose folder must exist; the file appears whole or not at
   * all.
   *
   * @param report what is to be told
   * @param file the file
   * @throws IOException if the file cannot be written
   */
  public static void write(RunReport report, Path file) throws IOException {
    byte[] bytes = toJson(report).getBytes(StandardCharsets.UTF_8);
    AtomicFile.write(file, path -> Files.write(path, bytes));
  }

  /**
   * {@return the report as indented JSON text}
   *
   * @param report what is to be told
   */
  public static String toJson(RunReport report) {
    JsonObject json = new JsonObject();
    json.addProperty("title", report.title());
    json.addProperty("task", report.task());
    json.addProperty("device", report.device());
    json.addProperty("seed", report.seed());
    json.add("seconds", JsonTree.of(report.seconds()));
    json.addProperty("score", report.scoreName());
    measures(report)
        .forEach((name, of) -> json.add(name, nested(SPLITS, MODELS, of, JsonTree::of)));
    json.add(
        "without_unlabelled",
        report.withoutUnlabelled().isEmpty()
            ? JsonTree.of(null)
            : nested(SPLITS, MODELS, report.withoutUnlabelled(), JsonTree::of));
    json.add("latency_ms", nested(BATCHES, TIMED, report.latencyMs(), MetricsJson::median));
    json.add("latency_ms_range", nested(BATCHES, TIMED, report.latencyMs(), MetricsJson::range));
    json.add(
        "parameters",
        flat(List.of(RunReport.BACKBONE, RunReport.TUNED, RunReport.SIDE), report.parameters()));
    json.add(
        "memory_bytes",
        flat(
            List.of(RunReport.TRAINING_PEAK, RunReport.TAPS, RunReport.ACTIVATIONS_KEPT),
            report.memoryBytes()));
    json.add(
        "file_bytes",
        flat(
            List.of(RunReport.ORIGINAL, RunReport.FADED, RunReport.KEPT, RunReport.DELTA),
            report.fileBytes()));
    json.add("exports", exports(report.exports()));
    json.add("class_names", JsonTree.of(report.classNames()));
    json.add("confusion_matrix", JsonTree.of(report.confusion().map(MetricsJson::confusion)));
    json.add("history", history(report.history()));
    json.add("ladder", ladder(report));
    json.add("config", JsonTree.of(report.config()));
    json.add("versions", JsonTree.of(report.environment()));
    json.add("notes", JsonTree.of(report.notes()));
    return JsonTree.print(json);
  }

  /** The measures that the kind of task promises, then whatever else there is. */
  private static Map<String, Map<String, Map<String, Double>>> measures(RunReport report) {
    List<String> promised =
        switch (report.scoreName()) {
          case RunReport.SPEARMAN, RunReport.PEARSON ->
              List.of(RunReport.SPEARMAN, RunReport.PEARSON, RunReport.MSE);
          case RunReport.F1 -> List.of(RunReport.ACCURACY, RunReport.F1);
          case RunReport.ACCURACY -> List.of(RunReport.ACCURACY);
          default -> List.of(report.scoreName());
        };
    Map<String, Map<String, Map<String, Double>>> measures = new LinkedHashMap<>();
    promised.forEach(name -> measures.put(name, report.measures().getOrDefault(name, Map.of())));
    report.measures().forEach(measures::putIfAbsent);
    return measures;
  }

  private static JsonElement median(Latency latency) {
    return JsonTree.of(latency.median());
  }

  private static JsonElement range(Latency latency) {
    JsonObject range = new JsonObject();
    range.add("low", JsonTree.of(latency.low()));
    range.add("high", JsonTree.of(latency.high()));
    return range;
  }

  private static <V> JsonObject nested(
      List<String> outer,
      List<String> inner,
      Map<String, Map<String, V>> values,
      Function<V, JsonElement> toJson) {
    JsonObject json = new JsonObject();
    for (String name : outer) {
      json.add(name, members(inner, values.getOrDefault(name, Map.of()), toJson));
    }
    values.forEach((name, more) -> {
      if (!json.has(name)) {
        json.add(name, members(List.of(), more, toJson));
      }
    });
    return json;
  }

  private static JsonObject flat(List<String> names, Map<String, Long> values) {
    return members(names, values, JsonTree::of);
  }

  /** The names that are promised first, then whatever else there is. */
  private static <V> JsonObject members(
      List<String> promised, Map<String, V> values, Function<V, JsonElement> toJson) {
    JsonObject json = new JsonObject();
    promised.forEach(name -> {
      V value = values.get(name);
      json.add(name, value == null ? JsonTree.of(null) : toJson.apply(value));
    });
    values.forEach((name, value) -> {
      if (!json.has(name)) {
        json.add(name, toJson.apply(value));
      }
    });
    return json;
  }

  private static JsonArray exports(List<Export> files) {
    JsonArray json = new JsonArray();
    for (Export file : files) {
      JsonObject export = new JsonObject();
      export.addProperty("file", file.file());
      export.addProperty("precision", file.precision());
      export.addProperty("opset", file.opset());
      export.addProperty("format", file.format());
      export.addProperty("bytes", file.bytes());
      file.measures()
          .forEach((measure, splits) -> export.add(measure, members(SPLITS, splits, JsonTree::of)));
      export.add("latency_ms", members(BATCHES, file.latencyMs(), MetricsJson::median));
      export.add("latency_ms_range", members(BATCHES, file.latencyMs(), MetricsJson::range));
      json.add(export);
    }
    return json;
  }

  private static JsonObject confusion(RunReport.Confusion confusion) {
    JsonObject json = new JsonObject();
    json.addProperty("split", confusion.split());
    json.add("counts", JsonTree.of(confusion.counts()));
    return json;
  }

  private static JsonArray history(List<EpochRow> rows) {
    JsonArray json = new JsonArray();
    for (EpochRow row : rows) {
      JsonObject epoch = new JsonObject();
      epoch.addProperty("epoch", row.epoch());
      epoch.add("losses", JsonTree.of(row.losses()));
      epoch.add("val_faded", JsonTree.of(row.valFaded()));
      epoch.add("val_side", JsonTree.of(row.valSide()));
      epoch.add("learning_rate", JsonTree.of(row.learningRate()));
      epoch.add("seconds", JsonTree.of(row.seconds()));
      json.add(epoch);
    }
    return json;
  }

  private static JsonElement ladder(RunReport report) {
    if (report.tapSnapshots().isEmpty()) {
      return JsonTree.of(null);
    }
    JsonObject json = new JsonObject();
    json.add("taps", JsonTree.of(report.tapNames()));
    JsonArray epochs = new JsonArray();
    for (TapSnapshot snapshot : report.tapSnapshots()) {
      JsonObject epoch = new JsonObject();
      epoch.addProperty("epoch", snapshot.epoch());
      epoch.add("gates", JsonTree.of(snapshot.gates()));
      epoch.add("mask_keep_ratio", JsonTree.of(snapshot.maskKeepRatio()));
      epochs.add(epoch);
    }
    json.add("epochs", epochs);
    return json;
  }
}
