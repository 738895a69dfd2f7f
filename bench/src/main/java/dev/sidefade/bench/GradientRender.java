package dev.sidefade.bench;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** Turns the report of {@link GradientMemoryTable} into Markdown. */
final class GradientRender {
  private static final double MEBIBYTE = 1024 * 1024;

  private GradientRender() {}

  /** A heading line and a table with one row for each case, of all its passes. */
  static List<String> lines(JsonObject report) {
    Map<GradientCase, List<JsonObject>> cases = new LinkedHashMap<>();
    for (JsonElement element : report.getAsJsonArray("results")) {
      JsonObject result = element.getAsJsonObject();
      GradientCase measured =
          new GradientCase(text(result, "model"), text(result, "tuning"), text(result, "memory"));
      cases.computeIfAbsent(measured, _ -> new ArrayList<>()).add(result);
    }
    JsonObject machine = report.getAsJsonObject("machine");
    int passes = cases.values().iterator().next().size();
    List<String> lines = new ArrayList<>();
    lines.add(
        "%s, %s, Java %s, threads: %s, batch %d; the least times and the median memory of %d passes"
            .formatted(
                text(machine, "name"),
                text(machine, "system"),
                text(machine, "java"),
                text(machine, "threads"),
                GradientCase.BATCH,
                passes));
    lines.add("");
    lines.add(
        "| model | tuned | kept | forward ms | gradients ms | in forwards | kept MiB"
            + " | resident growth MiB, opening | running |");
    lines.add("| --- | --- | --- | ---: | ---: | ---: | ---: | ---: | ---: |");
    cases.forEach((measured, runs) -> lines.add(row(measured, runs)));
    return lines;
  }

  private static String row(GradientCase measured, List<JsonObject> runs) {
    double forward = values(runs, "forward_min_ms").getFirst();
    List<Double> gradients = values(runs, "gradients_min_ms");
    List<Double> kept = values(runs, "kept_bytes");
    return String.join(
        " | ",
        "| " + measured.model(),
        measured.plain() ? "nothing" : measured.tuningTitle(),
        measured.plain() ? "" : measured.memoryTitle(),
        number(forward),
        gradients.isEmpty() ? "" : number(gradients.getFirst()),
        gradients.isEmpty()
            ? ""
            : String.format(Locale.ROOT, "%.2f", gradients.getFirst() / forward),
        kept.isEmpty() ? "" : number(kept.getFirst() / MEBIBYTE),
        growth(runs, "opening"),
        growth(runs, "running") + " |");
  }

  private static String growth(List<JsonObject> runs, String part) {
    List<Double> bytes = values(runs, part + "_resident_growth_bytes");
    return bytes.isEmpty() ? "" : number(bytes.get(bytes.size() / 2) / MEBIBYTE);
  }

  /** Those that were measured, the least first. */
  private static List<Double> values(List<JsonObject> runs, String field) {
    return runs.stream()
        .filter(run -> run.has(field))
        .map(run -> run.get(field).getAsDouble())
        .sorted()
        .toList();
  }

  private static String number(double value) {
    return String.format(Locale.ROOT, "%.1f", value);
  }

  private static String text(JsonObject object, String field) {
    return object.get(field).getAsString();
  }
}
