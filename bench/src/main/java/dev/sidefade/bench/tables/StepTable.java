package dev.sidefade.bench.tables;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * A training step of the side network against PyTorch's: a file of JMH and one of {@code
 * peers/training_step.py}; then, where there are, the same two of an earlier state.
 */
final class StepTable {
  private StepTable() {}

  /**
   * A case on both sides.
   *
   * @param shape of the workload
   * @param features whether the feature path is in it
   */
  record Case(String shape, boolean features) {
    @Override
    public String toString() {
      return shape + (features ? " with the feature path" : "");
    }
  }

  /**
   * Milliseconds of both sides.
   *
   * @param error half of JMH's interval; NaN where it gives none
   * @param peer median, of the faster optimiser; NaN where it was not measured
   */
  record Pair(double ours, double error, double peer) {}

  static List<String> lines(Block block) throws IOException {
    Map<Case, Pair> now = pairs(block.file(0), block.file(1), false);
    boolean compiled =
        !pairs(block.file(0), block.file(1), true).values().stream()
            .allMatch(pair -> Double.isNaN(pair.peer));
    Map<Case, Pair> fast = pairs(block.file(0), block.file(1), true);
    Map<Case, Pair> before =
        block.files().size() > 2 ? pairs(block.file(2), block.file(3), false) : Map.of();
    List<String> lines = new ArrayList<>();
    lines.add(
        "| | Sidefade, ms | PyTorch eager, ms | ratio |"
            + (compiled ? " torch.compile, ms | ratio |" : "")
            + (before.isEmpty() ? "" : " " + String.join(" ", block.words()) + " |"));
    lines.add(Text.rule(1, 3 + (compiled ? 2 : 0) + (before.isEmpty() ? 0 : 1)));
    now.forEach((measured, pair) -> {
      List<String> cells = new ArrayList<>(List.of(measured.toString(), ours(pair)));
      cells.addAll(peer(pair));
      if (compiled) {
        cells.addAll(peer(fast.get(measured)));
      }
      if (!before.isEmpty()) {
        Pair old = before.get(measured);
        cells.add(
            old == null
                ? ""
                : Text.fixed(old.ours, 1)
                    + " / "
                    + Text.fixed(old.peer, 1)
                    + " = "
                    + Text.fixed(old.ours / old.peer, 2));
      }
      lines.add(Text.row(cells));
    });
    return lines;
  }

  private static String ours(Pair pair) {
    String score = Text.fixed(pair.ours, 1);
    return Double.isNaN(pair.error) ? score : score + " ± " + Text.fixed(pair.error, 1);
  }

  private static List<String> peer(Pair pair) {
    return Double.isNaN(pair.peer)
        ? List.of("", "")
        : List.of(Text.fixed(pair.peer, 1), Text.fixed(pair.ours / pair.peer, 2));
  }

  static Map<Case, Pair> pairs(JsonElement jmh, JsonElement peers, boolean compiled) {
    Map<Case, Pair> pairs = new LinkedHashMap<>();
    for (String shape : List.of("A", "M", "B")) {
      for (boolean features : new boolean[] {false, true}) {
        Case measured = new Case(shape, features);
        for (JsonObject result : Json.results(jmh)) {
          if (JmhTable.name(result).endsWith("TrainingStepBenchmark.step")
              && Json.text(result, "params", "shape").equals(shape)
              && Json.text(result, "params", "features").equals(Boolean.toString(features))) {
            double error = result.getAsJsonObject("primaryMetric").get("scoreError").getAsDouble();
            double ours = Json.need(result, "primaryMetric", "score") / 1e3;
            pairs.put(measured, new Pair(ours, error / 1e3, peer(peers, measured, compiled)));
          }
        }
      }
    }
    return pairs;
  }

  private static double peer(JsonElement peers, Case measured, boolean compiled) {
    return Json.results(peers).stream()
        .filter(result ->
            Json.text(result, "shape").equals(measured.shape)
                && Json.text(result, "features").equals(Boolean.toString(measured.features))
                && Json.text(result, "compiled").equals(Boolean.toString(compiled))
                && result.has("median_ms"))
        .mapToDouble(result -> Json.need(result, "median_ms"))
        .min()
        .orElse(Double.NaN);
  }
}
