package dev.sidefade.bench.tables;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.Set;

/** Results of {@code bench/peers}. */
final class PeerTable {
  private static final String OURS = "Sidefade";

  private PeerTable() {}

  /**
   * {@code peer-operations}: a file of {@code peers/operations.py}: a row per operation and shape,
   * a column per way of running it, medians in microseconds. Where a second file is given (of
   * {@code sidefade bench --json}), its times come first. The last column is Sidefade's time over
   * the least of the others.
   */
  static List<String> operations(Block block) throws IOException {
    Map<String, Map<String, Double>> rows = new LinkedHashMap<>();
    Set<String> ways = new LinkedHashSet<>();
    if (block.files().size() > 1) {
      add(rows, ways, Json.results(block.file(1)), OURS);
    }
    add(rows, ways, Json.results(block.file(0)), null);
    List<String> lines = new ArrayList<>();
    List<String> header = new ArrayList<>(List.of("operation"));
    ways.forEach(way -> header.add(way + ", us"));
    header.add("ratio");
    lines.add(Text.row(header));
    lines.add(Text.rule(1, ways.size() + 1));
    rows.forEach((title, times) -> {
      List<String> cells = new ArrayList<>(List.of(title));
      ways.forEach(way -> cells.add(times.containsKey(way) ? Text.three(times.get(way)) : ""));
      cells.add(ratio(times));
      lines.add(Text.row(cells));
    });
    return lines;
  }

  private static String ratio(Map<String, Double> times) {
    OptionalDouble others =
        times.entrySet().stream()
            .filter(entry -> !entry.getKey().equals(OURS))
            .mapToDouble(Map.Entry::getValue)
            .min();
    return times.containsKey(OURS) && others.isPresent()
        ? Text.fixed(times.get(OURS) / others.getAsDouble(), 2)
        : "";
  }

  private static void add(
      Map<String, Map<String, Double>> rows,
      Set<String> ways,
      List<JsonObject> results,
      String only) {
    for (JsonObject result : results) {
      if (result.has("median_us")) {
        String way = only == null ? Json.text(result, "way") : only;
        ways.add(way);
        rows.computeIfAbsent(
                Json.text(result, "operation") + ", " + Json.text(result, "shape"),
                title -> new LinkedHashMap<>())
            .put(way, Json.need(result, "median_us"));
      }
    }
  }

  /**
   * {@code peer-steps}: whole training steps of {@code peers/whole_steps.py}, all passes together.
   */
  static List<String> steps(Block block) throws IOException {
    Map<String, List<JsonObject>> cases = new LinkedHashMap<>();
    for (JsonObject result : Json.results(block.file(0))) {
      if (result.has("samples_ms")) {
        cases
            .computeIfAbsent(
                Json.text(result, "tuning") + ", " + Json.text(result, "way"),
                title -> new ArrayList<>())
            .add(result);
      }
    }
    List<String> lines = new ArrayList<>();
    lines.add("| what learns | median, ms | quartiles | peak memory, MiB | learning values |");
    lines.add(Text.rule(1, 4));
    cases.forEach((title, passes) -> {
      double[] samples =
          passes.stream()
              .flatMap(pass -> pass.getAsJsonArray("samples_ms").asList().stream())
              .mapToDouble(JsonElement::getAsDouble)
              .sorted()
              .toArray();
      double[] memory =
          passes.stream()
              .mapToDouble(pass -> Json.need(pass, "peak_memory_bytes"))
              .sorted()
              .toArray();
      lines.add(
          Text.row(
              title,
              Text.three(Text.quantile(samples, 0.5)),
              Text.three(Text.quantile(samples, 0.25))
                  + " to "
                  + Text.three(Text.quantile(samples, 0.75)),
              Text.fixed(Text.quantile(memory, 0.5) / Text.MEBIBYTE, 1),
              Text.fixed(Json.need(passes.getFirst(), "tuned_values"), 0)));
    });
    return lines;
  }
}
