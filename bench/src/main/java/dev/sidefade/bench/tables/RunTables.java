package dev.sidefade.bench.tables;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.Set;

/** Tables of what {@code adapt}, {@code demo} and {@code compare} write. */
final class RunTables {
  private RunTables() {}

  /**
   * {@code latency}: milliseconds of the original, the faded and the kept model, a row for each
   * line {@code key=value | label} of the marker.
   */
  static List<String> latency(Block block) throws IOException {
    List<JsonObject> runs = Json.results(block.file(0));
    List<String> lines = new ArrayList<>();
    lines.add(
        "| side network | batch 1 original / faded / kept | saved | batch 32 original / faded /"
            + " kept | saved |");
    lines.add("| --- | --- | ---: | --- | ---: |");
    for (String line : block.lines()) {
      Selection row = Selection.parse(line);
      JsonObject run =
          runs.stream()
              .filter(one ->
                  row.wanted().entrySet().stream()
                      .allMatch(e -> Selection.value(one, e.getKey()).equals(e.getValue())))
              .findFirst()
              .orElseThrow(() -> new TableException("no run is " + line));
      lines.add(
          Text.row(
              row.label(),
              three(run, "batch1", 3),
              saved(run, "batch1"),
              three(run, "batch32", 1),
              saved(run, "batch32")));
    }
    return lines;
  }

  private static String three(JsonObject run, String batch, int decimals) {
    List<String> words = new ArrayList<>();
    for (String model : List.of("original", "faded", "kept")) {
      words.add(Text.fixed(Json.need(run, "latency_ms", batch, model), decimals));
    }
    return String.join(" / ", words);
  }

  private static String saved(JsonObject run, String batch) {
    double faded = Json.need(run, "latency_ms", batch, "faded");
    double kept = Json.need(run, "latency_ms", batch, "kept");
    return Text.fixed(100 * (1 - faded / kept), 0) + " %";
  }

  /** {@code inference}: the file of {@code bench/inference}, a row per batch size and threads. */
  static List<String> inference(Block block) throws IOException {
    Map<String, Map<String, JsonObject>> rows = new LinkedHashMap<>();
    for (JsonObject result : Json.results(block.file(0))) {
      rows.computeIfAbsent(
              Json.text(result, "batch") + " | " + Json.text(result, "threads"),
              key -> new LinkedHashMap<>())
          .put(Json.text(result, "model"), result);
    }
    List<String> lines = new ArrayList<>();
    lines.add(
        "| batch | threads | original, ms | the same again, over the original | faded, ms | faded"
            + " over the original | kept, ms | saved |");
    lines.add(Text.rule(0, 8));
    rows.forEach((row, models) -> {
      double faded = Json.need(models.get("faded"), "median_ms");
      double kept = Json.need(models.get("kept"), "median_ms");
      lines.add(
          Text.row(
              row,
              Text.fixed(Json.need(models.get("original"), "median_ms"), 3),
              overOriginal(models.get("again")),
              Text.fixed(faded, 3),
              overOriginal(models.get("faded")),
              Text.fixed(kept, 3),
              Text.fixed(100 * (1 - faded / kept), 0) + " %"));
    });
    return lines;
  }

  private static String overOriginal(JsonObject result) {
    Ratio ratio =
        Ratio.ofQuotients(
            Json.at(result, "over_original").getAsJsonArray().asList().stream()
                .mapToDouble(JsonElement::getAsDouble)
                .toArray());
    return Text.fixed(ratio.value(), 3)
        + " ("
        + Text.fixed(ratio.low(), 3)
        + " to "
        + Text.fixed(ratio.high(), 3)
        + ")";
  }

  /** {@code demo}: a metrics.json with the test accuracies and what they cost. */
  static List<String> demo(Block block) throws IOException {
    JsonElement metrics = block.file(0);
    double backbone = Json.need(metrics, "parameters", "backbone");
    double side = Json.need(metrics, "parameters", "side");
    List<String> lines = new ArrayList<>();
    lines.add("| model | test accuracy | latency, batch 1 | latency, batch 32 | parameters |");
    lines.add(Text.rule(1, 4));
    lines.add(
        demoRow(metrics, "linear probe on the class token", "linear_probe", "original", backbone));
    lines.add(demoRow(metrics, "side network kept", "side", "kept", backbone + side));
    lines.add(demoRow(metrics, "**faded**", "faded", "faded", backbone));
    return lines;
  }

  private static String demoRow(
      JsonElement metrics, String label, String score, String latency, double parameters) {
    String accuracy = Text.fixed(100 * Json.need(metrics, "accuracy", "test", score), 1) + " %";
    String one = Text.fixed(Json.need(metrics, "latency_ms", "batch1", latency), 2) + " ms";
    String many = Text.fixed(Json.need(metrics, "latency_ms", "batch32", latency), 1) + " ms";
    String bold = label.startsWith("**") ? "**" : "";
    return Text.row(
        label,
        bold + accuracy + bold,
        bold + one + bold,
        bold + many + bold,
        String.format(java.util.Locale.ROOT, "%,d", Math.round(parameters)));
  }

  /** {@code compare}: a compare.json, means and standard deviations over seeds. */
  static List<String> compare(Block block) throws IOException {
    JsonElement file = block.file(0);
    String score = Json.text(file, "score");
    boolean share = Set.of("accuracy", "f1").contains(score);
    List<String> lines = new ArrayList<>();
    lines.add(
        "| variant | %s %s%s | seeds | side network | trained parameters | training, MiB | seconds |"
                .formatted(Json.text(file, "split"), score, share ? ", %" : "")
            + " latency, ms, batch 1 | batch 32 |");
    lines.add(Text.rule(1, 8));
    for (JsonElement element : file.getAsJsonObject().getAsJsonArray("variants")) {
      JsonObject variant = element.getAsJsonObject();
      double factor = share ? 100 : 1;
      int decimals = share ? 1 : 3;
      lines.add(
          Text.row(
              Json.text(variant, "name"),
              statistic(variant, "score", factor, decimals),
              count(variant),
              statistic(variant, "side_score", factor, decimals),
              mean(variant, "parameters", 1, 0),
              mean(variant, "memory_bytes", 1 / Text.MEBIBYTE, 1),
              mean(variant, "seconds", 1, 0),
              mean(variant, "latency_ms_batch1", 1, 2),
              mean(variant, "latency_ms_batch32", 1, 1)));
    }
    return lines;
  }

  private static String count(JsonObject variant) {
    OptionalDouble count = Json.number(variant, "score", "count");
    return count.isPresent() ? Text.fixed(count.getAsDouble(), 0) : "";
  }

  private static String mean(JsonObject variant, String key, double factor, int decimals) {
    OptionalDouble mean = Json.number(variant, key, "mean");
    return mean.isPresent() ? Text.fixed(factor * mean.getAsDouble(), decimals) : "";
  }

  private static String statistic(JsonObject variant, String key, double factor, int decimals) {
    String mean = mean(variant, key, factor, decimals);
    OptionalDouble spread = Json.number(variant, key, "standard_deviation");
    return mean.isEmpty() || spread.isEmpty()
        ? mean
        : mean + " ± " + Text.fixed(factor * spread.getAsDouble(), decimals);
  }
}
