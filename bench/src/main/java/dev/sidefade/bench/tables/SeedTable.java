package dev.sidefade.bench.tables;

import com.google.gson.JsonObject;
import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;

/**
 * Test scores by seed, in per cent, and their mean where every seed was run.
 *
 * <p>{@code seeds}: a row for each line of the marker, {@code key=value; key=value | label} (see
 * {@link Selection}); words behind the kind are the first heading. A label in bold makes the mean
 * bold.
 *
 * <p>{@code inside-tuning}: rows by themselves, one for all settings that differ in more than the
 * seed, named by what is tuned, the side network, and the settings that most runs do not have;
 * words are {@code key=value} that runs must have.
 */
final class SeedTable {
  /** Not settings of the method. */
  private static final Set<String> LEFT_OUT =
      Set.of("seed", "accuracy", "config", "seconds", "parameters", "activations_kept");

  /** In every name where they are not the same everywhere. */
  private static final Set<String> ALWAYS = Set.of("tune", "side");

  private SeedTable() {}

  static List<String> chosen(Block block) throws IOException {
    return lines(
        String.join(" ", block.words()),
        block.lines().stream().map(Selection::parse).toList(),
        Json.results(block.file(0)));
  }

  static List<String> all(Block block) throws IOException {
    Map<String, String> wanted = Selection.pairs(String.join(";", block.words()));
    List<JsonObject> runs =
        Json.results(block.file(0)).stream()
            .filter(run ->
                wanted.entrySet().stream()
                    .allMatch(e -> Selection.value(run, e.getKey()).equals(e.getValue())))
            .toList();
    if (runs.isEmpty()) {
      throw new TableException("no run has " + wanted);
    }
    Map<String, Selection> rows = new LinkedHashMap<>();
    Set<String> keys = keys(runs);
    keys.removeIf(
        key -> runs.stream().map(run -> Selection.value(run, key)).distinct().count() == 1);
    Map<String, String> usual = new LinkedHashMap<>();
    keys.forEach(key -> usual.put(key, usual(runs, key)));
    for (JsonObject run : runs) {
      Map<String, String> settings = new LinkedHashMap<>();
      keys.forEach(key -> settings.put(key, Selection.value(run, key)));
      String label =
          settings.entrySet().stream()
              .filter(entry ->
                  ALWAYS.contains(entry.getKey())
                      || !entry.getValue().equals(usual.get(entry.getKey())))
              .map(entry -> entry.getKey() + " " + entry.getValue())
              .collect(Collectors.joining(", "));
      for (String model : List.of("faded", "side")) {
        if (Json.number(run, "accuracy", "test", model).isPresent()) {
          Map<String, String> of = new LinkedHashMap<>(settings);
          of.put("model", model);
          of.putAll(wanted);
          String row = model.equals("side") ? "side network kept: " + label : label;
          rows.putIfAbsent(row, new Selection(row, of));
        }
      }
    }
    return lines("settings", List.copyOf(rows.values()), runs);
  }

  /** The value that most runs have. */
  private static String usual(List<JsonObject> runs, String key) {
    return runs.stream()
        .collect(Collectors.groupingBy(run -> Selection.value(run, key), Collectors.counting()))
        .entrySet()
        .stream()
        .max(Map.Entry.<String, Long>comparingByValue().thenComparing(Map.Entry.comparingByKey()))
        .orElseThrow()
        .getKey();
  }

  /** Settings of plain values. */
  private static Set<String> keys(List<JsonObject> runs) {
    Set<String> keys = new TreeSet<>();
    for (JsonObject run : runs) {
      keys.addAll(plain(run));
      if (run.has("config")) {
        keys.addAll(plain(run.getAsJsonObject("config")));
      }
    }
    keys.removeAll(LEFT_OUT);
    return keys;
  }

  private static Set<String> plain(JsonObject object) {
    return object.entrySet().stream()
        .filter(entry -> entry.getValue().isJsonPrimitive())
        .map(Map.Entry::getKey)
        .collect(Collectors.toSet());
  }

  private static List<String> lines(String heading, List<Selection> rows, List<JsonObject> runs) {
    Map<Selection, Map<Integer, Double>> scores = new LinkedHashMap<>();
    rows.forEach(row -> scores.put(row, row.scores(runs)));
    Set<Integer> seeds = new TreeSet<>();
    scores.values().forEach(row -> seeds.addAll(row.keySet()));
    List<String> lines = new ArrayList<>();
    List<String> head = new ArrayList<>(List.of(heading));
    seeds.forEach(seed -> head.add("seed " + seed));
    head.add("mean");
    lines.add(Text.row(head));
    lines.add(Text.rule(1, seeds.size() + 1));
    scores.forEach((row, values) -> {
      List<String> cells = new ArrayList<>(List.of(row.label()));
      for (int seed : seeds) {
        cells.add(values.containsKey(seed) ? Text.fixed(values.get(seed), 1) : "");
      }
      double mean = values.values().stream().mapToDouble(v -> v).average().orElseThrow();
      String bold = row.label().startsWith("**") ? "**" : "";
      cells.add(values.size() == seeds.size() ? bold + Text.fixed(mean, 1) + bold : "");
      lines.add(Text.row(cells));
    });
    return lines;
  }
}
