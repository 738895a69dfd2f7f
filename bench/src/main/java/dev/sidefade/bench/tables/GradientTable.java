package dev.sidefade.bench.tables;

import com.google.gson.JsonElement;
import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.ToDoubleFunction;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * What gradients inside a backbone cost: a file of {@code bench/gradients}, then, where there is
 * one, a file of {@code peers/full_finetuning.py}. Times are the least, memory the median of all
 * passes.
 */
final class GradientTable {
  private GradientTable() {}

  /** The shipped backbone, a row per case. */
  static List<String> shipped(Block block) throws IOException {
    List<GradientCases> cases = cases(block).stream().filter(GradientCases::shipped).toList();
    double full =
        cases.stream()
            .filter(GradientCases::full)
            .mapToDouble(GradientCases::kept)
            .findFirst()
            .orElse(Double.NaN);
    List<String> lines = new ArrayList<>();
    lines.add(
        "| what is tuned | kept | ms | in forwards | kept, MiB | of full fine-tuning |"
            + " resident, MiB |");
    lines.add(Text.rule(2, 5));
    for (GradientCases one : cases) {
      lines.add(
          Text.row(
              one.title(),
              Text.fixed(one.gradients(), 1),
              Text.fixed(one.gradients() / one.forward(), 2),
              Text.fixed(one.kept(), 1),
              one.full() || Double.isNaN(full) ? "" : Text.fixed(100 * one.kept() / full, 0) + " %",
              Double.isNaN(one.resident()) ? "" : Text.fixed(one.resident(), 0)));
    }
    return lines;
  }

  /** A row per case, with the depths beside each other. */
  static List<String> byDepth(Block block) throws IOException {
    Map<String, List<GradientCases>> rows = byTitle(cases(block));
    String depths =
        rows.values().iterator().next().stream()
            .map(one -> Integer.toString(one.depth()))
            .collect(Collectors.joining(" / "));
    List<String> lines = new ArrayList<>();
    lines.add(
        "| blocks: " + depths + " | ms | in forwards | kept, MiB | resident while running, MiB |");
    lines.add(Text.rule(1, 4));
    rows.forEach((title, row) ->
        lines.add(
            Text.row(
                title.replaceFirst(" \\| $", "").replace(" | ", ", "),
                all(row, GradientCases::gradients, 0),
                all(row, one -> one.gradients() / one.forward(), 2),
                all(row, GradientCases::kept, 1),
                all(row, GradientCases::running, 0))));
    return lines;
  }

  /**
   * Those that are not the shipped backbone, or six blocks deep, by title, the shallowest first.
   */
  static Map<String, List<GradientCases>> byTitle(List<GradientCases> cases) {
    return cases.stream()
        .filter(one -> !one.shipped())
        .sorted(java.util.Comparator.comparingInt(GradientCases::depth))
        .collect(
            Collectors.groupingBy(GradientCases::title, LinkedHashMap::new, Collectors.toList()));
  }

  static List<GradientCases> cases(Block block) throws IOException {
    JsonElement ours = block.file(0);
    return block.files().size() == 1
        ? GradientCases.ours(ours)
        : Stream.concat(
                GradientCases.ours(ours).stream(), GradientCases.peers(block.file(1)).stream())
            .toList();
  }

  private static String all(
      List<GradientCases> row, ToDoubleFunction<GradientCases> value, int decimals) {
    return row.stream().anyMatch(one -> Double.isNaN(value.applyAsDouble(one)))
        ? ""
        : row.stream()
            .map(one -> Text.fixed(value.applyAsDouble(one), decimals))
            .collect(Collectors.joining(" / "));
  }
}
