package dev.sidefade.bench.tables;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * The passes of {@code bench/gradients} and of {@code peers/full_finetuning.py} by what was
 * measured.
 *
 * @param title of a row, two cells: what is tuned, what is kept
 * @param depth blocks
 * @param shipped whether it is the shipped backbone
 * @param runs one per pass
 */
record GradientCases(String title, int depth, boolean shipped, List<JsonObject> runs) {

  /** Those of Sidefade, in the order of the file; the plain forward runs are left out. */
  static List<GradientCases> ours(JsonElement file) {
    return group(
        Json.results(file).stream().filter(run -> run.has("gradients_min_ms")).toList(),
        run -> tuning(Json.text(run, "tuning")) + " | " + memory(Json.text(run, "memory")),
        run -> Json.text(run, "model").equals("shipped"));
  }

  /** Those of PyTorch with its own attention. The model of six blocks is the shipped one's. */
  static List<GradientCases> peers(JsonElement file) {
    return group(
        Json.results(file).stream()
            .filter(run -> Json.text(run, "attention").equals("sdpa"))
            .toList(),
        run -> "PyTorch, " + tuning(Json.text(run, "tuning")) + " | ",
        run -> Json.need(run, "depth") == 6);
  }

  private static List<GradientCases> group(
      List<JsonObject> runs,
      java.util.function.Function<JsonObject, String> title,
      java.util.function.Predicate<JsonObject> shipped) {
    Map<List<Object>, GradientCases> cases = new LinkedHashMap<>();
    for (JsonObject run : runs) {
      String name = title.apply(run);
      int depth = (int) Json.need(run, "depth");
      boolean first = shipped.test(run);
      cases
          .computeIfAbsent(
              List.of(name, depth, first),
              key -> new GradientCases(name, depth, first, new ArrayList<>()))
          .runs
          .add(run);
    }
    return List.copyOf(cases.values());
  }

  private static String tuning(String word) {
    return switch (word) {
      case "low-rank" -> "rank 4 + norms";
      case "full" -> "full fine-tuning";
      default -> word;
    };
  }

  private static String memory(String word) {
    return word.equals("micro-batch") ? "micro-batch 16" : word;
  }

  boolean full() {
    return title.contains("full fine-tuning");
  }

  double gradients() {
    return least("gradients_min_ms");
  }

  double forward() {
    return least("forward_min_ms");
  }

  double kept() {
    return Json.need(runs.getFirst(), "kept_bytes") / Text.MEBIBYTE;
  }

  /** Of opening and running, in MiB; NaN where it was not measured. */
  double resident() {
    double whole = median("resident_growth_bytes");
    return Double.isNaN(whole) ? median("opening_resident_growth_bytes") + running() : whole;
  }

  double running() {
    return median("running_resident_growth_bytes");
  }

  private double least(String field) {
    return runs.stream().mapToDouble(run -> Json.need(run, field)).min().orElseThrow();
  }

  private double median(String field) {
    double[] sorted =
        runs.stream()
            .filter(run -> run.has(field))
            .mapToDouble(run -> Json.need(run, field))
            .sorted()
            .toArray();
    return sorted.length == 0 ? Double.NaN : sorted[sorted.length / 2] / Text.MEBIBYTE;
  }
}
