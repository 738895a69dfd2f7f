package dev.sidefade.bench.tables;

import java.io.IOException;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Plots of the tables. */
final class Plots {
  private Plots() {}

  /** A training step beside PyTorch's: the file of {@link TurnsTable}. */
  static List<String> steps(Block block) throws IOException {
    return Svg.bars(
        "One training step of the side network, ms",
        " ms",
        List.of("Sidefade", "PyTorch eager"),
        TurnsTable.millis(block));
  }

  /** Bytes kept for the backward pass by depth: the files of {@link GradientTable}. */
  static List<String> kept(Block block) throws IOException {
    Map<String, Map<Integer, Double>> series = new LinkedHashMap<>();
    GradientTable.byTitle(GradientTable.cases(block))
        .forEach((title, row) -> {
          if (title.startsWith("norms") || title.startsWith("PyTorch, full")) {
            Map<Integer, Double> values = new LinkedHashMap<>();
            row.forEach(one -> values.put(one.depth(), one.kept()));
            series.put(title.replaceFirst(" \\| $", "").replace(" | ", ", "), values);
          }
        });
    return Svg.plot("Kept for the backward pass", "blocks", "MiB", series);
  }

  /** What the side network costs where it is kept: the lines of {@link RunTables#latency}. */
  static List<String> latency(Block block) throws IOException {
    Map<String, double[]> rows = new LinkedHashMap<>();
    for (String line : block.lines()) {
      Selection row = Selection.parse(line);
      Json.results(block.file(0)).stream()
          .filter(run ->
              row.wanted().entrySet().stream()
                  .allMatch(e -> Selection.value(run, e.getKey()).equals(e.getValue())))
          .findFirst()
          .ifPresent(run ->
              rows.put(
                  row.label(),
                  new double[] {
                    Json.need(run, "latency_ms", "batch1", "original"),
                    Json.need(run, "latency_ms", "batch1", "faded"),
                    Json.need(run, "latency_ms", "batch1", "kept")
                  }));
    }
    return Svg.bars(
        "Latency at batch 1, ms", " ms", List.of("original", "faded", "side network kept"), rows);
  }
}
