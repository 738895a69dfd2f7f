package dev.sidefade.bench.tables;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Pattern;

/**
 * JMH's results: time, rate, share of the machine's copy rate where the file has it, and bytes
 * allocated. Words behind the kind are regular expressions: those that are found in a benchmark's
 * name take it in, all where there are none.
 */
final class JmhTable {
  private static final String COPY = "CopyBenchmark.copy";

  private JmhTable() {}

  static List<String> lines(Block block) throws java.io.IOException {
    List<JsonObject> all = Json.results(block.file(0));
    List<Pattern> wanted = block.words().stream().map(Pattern::compile).toList();
    List<JsonObject> results =
        all.stream()
            .filter(result ->
                wanted.isEmpty() || wanted.stream().anyMatch(p -> p.matcher(name(result)).find()))
            .toList();
    return lines(results, copyRates(all));
  }

  /**
   * Bytes per microsecond, read and written, that the machine copies.
   *
   * @return by the parameters of the benchmark
   */
  static Map<String, Double> copyRates(List<JsonObject> results) {
    Map<String, Double> rates = new LinkedHashMap<>();
    for (JsonObject result : results) {
      if (name(result).endsWith(COPY)) {
        rates.put(machine(result), 2.0 * Work.COPIED / Json.need(result, "primaryMetric", "score"));
      }
    }
    return rates;
  }

  private static String machine(JsonObject result) {
    return Json.text(result, "params", "device") + " " + Json.text(result, "params", "threads");
  }

  private static List<String> lines(List<JsonObject> results, Map<String, Double> copyRates) {
    List<String> lines = new ArrayList<>();
    lines.add(
        "| operation | at | us | +- | GFLOP/s | GB/s |"
            + (copyRates.isEmpty() ? "" : " of copy rate |")
            + " allocated B/op |");
    lines.add(Text.rule(2, copyRates.isEmpty() ? 5 : 6));
    results.forEach(result -> lines.add(row(result, copyRates)));
    return lines;
  }

  static String name(JsonObject result) {
    return Json.text(result, "benchmark");
  }

  private static String row(JsonObject result, Map<String, Double> copyRates) {
    String[] name = name(result).split("\\.", -1);
    String operation = name[name.length - 1];
    JsonObject params = result.has("params") ? result.getAsJsonObject("params") : new JsonObject();
    String shape = params.has("shape") ? params.get("shape").getAsString() : "";
    Work work =
        Work.of(
            name[name.length - 2],
            Json.at(params, "operation") == null ? operation : Json.text(params, "operation"),
            shape);
    double micros = Json.need(result, "primaryMetric", "score");
    // what the feature path adds is not in the count of operations
    boolean rated = !Json.text(params, "features").equals("true");
    List<String> cells = new ArrayList<>();
    cells.add(operation);
    cells.add(at(params));
    cells.add(Text.three(micros));
    cells.add(error(result.getAsJsonObject("primaryMetric")));
    cells.add(rated && work.flops() > 0 ? Text.three(work.flops() / micros / 1e3) : "");
    cells.add(rated && work.bytes() > 0 ? Text.three(work.bytes() / micros / 1e3) : "");
    if (!copyRates.isEmpty()) {
      Double rate = copyRates.get(machine(result));
      cells.add(
          rate == null || work.bytes() == 0
              ? ""
              : Text.fixed(100 * work.bytes() / micros / rate, 0) + " %");
    }
    cells.add(allocation(result));
    return Text.row(cells);
  }

  /** Parameters: the shape first, then the others with their names, the CPU left out. */
  private static String at(JsonObject params) {
    Map<String, String> others = new TreeMap<>();
    params.entrySet().forEach(e -> others.put(e.getKey(), e.getValue().getAsString()));
    others.remove("device", "cpu");
    List<String> words = new ArrayList<>();
    String shape = others.remove("shape");
    if (shape != null) {
      words.add(shape);
    }
    others.forEach((key, value) ->
        words.add(
            switch (value.toLowerCase(Locale.ROOT)) {
              case "true" -> "with " + key;
              case "false" -> "without " + key;
              default -> key + " " + value;
            }));
    return String.join(", ", words);
  }

  /** JMH writes "NaN" where there was one iteration. */
  private static String error(JsonObject metric) {
    JsonElement error = metric.get("scoreError");
    return error == null || error.getAsString().equals("NaN")
        ? ""
        : Text.three(error.getAsDouble());
  }

  private static String allocation(JsonObject result) {
    JsonElement metrics = Json.at(result, "secondaryMetrics");
    if (metrics != null) {
      for (Map.Entry<String, JsonElement> metric : metrics.getAsJsonObject().entrySet()) {
        if (metric.getKey().endsWith("gc.alloc.rate.norm")) {
          return Text.three(Json.need(metric.getValue(), "score"));
        }
      }
    }
    return "";
  }
}
