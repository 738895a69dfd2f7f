package dev.sidefade.report;

import dev.sidefade.report.RunReport.EpochRow;
import dev.sidefade.report.RunReport.Latency;
import dev.sidefade.report.RunReport.TapSnapshot;
import dev.sidefade.report.svg.BarChart;
import dev.sidefade.report.svg.BarChart.Bar;
import dev.sidefade.report.svg.LineChart;
import dev.sidefade.report.svg.LineChart.Series;
import dev.sidefade.report.svg.Numbers;
import dev.sidefade.report.svg.Palette;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.Set;
import java.util.function.Function;
import java.util.function.ToDoubleFunction;

/** The line and bar charts of a report; each is empty where there is nothing to show. */
final class ReportCharts {
  /** Losses further apart than this factor are drawn on a logarithmic axis. */
  private static final double LOGARITHMIC_FROM = 50;

  private ReportCharts() {}

  /** Name of {@link #scorePerEpoch}. */
  static String scoreTitle(RunReport report) {
    return "Validation " + Score.of(report).name() + " per epoch";
  }

  /** Validation score per epoch, with the probe as a level line where it is known. */
  static Optional<String> scorePerEpoch(RunReport report) {
    List<EpochRow> history = report.history();
    Score score = Score.of(report);
    List<Series> lines = new ArrayList<>();
    addScore(lines, "faded", Palette.BLUE, history, EpochRow::valFaded, score.factor());
    addScore(lines, "side network", Palette.VERMILLION, history, EpochRow::valSide, score.factor());
    if (lines.isEmpty()) {
      return Optional.empty();
    }
    report
        .score(RunReport.VAL, RunReport.LINEAR_PROBE)
        .ifPresent(probe -> lines.add(level("linear probe", score.factor() * probe, history)));
    return Optional.of(
        new LineChart(scoreTitle(report), "epoch", score.axis(), false, lines).toSvg());
  }

  private static void addScore(
      List<Series> lines,
      String name,
      int color,
      List<EpochRow> history,
      Function<EpochRow, OptionalDouble> value,
      double factor) {
    double[] y =
        history.stream().mapToDouble(r -> factor * value.apply(r).orElse(Double.NaN)).toArray();
    if (Arrays.stream(y).anyMatch(Double::isFinite)) {
      lines.add(new Series(name, epochs(history), y, color));
    }
  }

  private static Series level(String name, double value, List<EpochRow> history) {
    double[] ends = {history.getFirst().epoch(), history.getLast().epoch()};
    return new Series(name, ends, new double[] {value, value}, Palette.GREY);
  }

  private static double[] epochs(List<EpochRow> history) {
    return history.stream().mapToDouble(EpochRow::epoch).toArray();
  }

  /** Every loss term over the epochs. */
  static Optional<String> losses(RunReport report) {
    Set<String> names = new LinkedHashSet<>();
    report.history().forEach(row -> names.addAll(row.losses().keySet()));
    List<Series> lines = new ArrayList<>();
    for (String name : names) {
      double[] y =
          report.history().stream()
              .mapToDouble(row -> row.losses().getOrDefault(name, Double.NaN))
              .toArray();
      lines.add(new Series(name, epochs(report.history()), y, lines.size()));
    }
    if (lines.isEmpty()) {
      return Optional.empty();
    }
    boolean wide = spansDecades(lines);
    String label = wide ? "loss, logarithmic" : "loss";
    return Optional.of(new LineChart("Loss terms per epoch", "epoch", label, wide, lines).toSvg());
  }

  private static boolean spansDecades(List<Series> lines) {
    double[] finite =
        lines.stream()
            .flatMapToDouble(l -> Arrays.stream(l.y()))
            .filter(Double::isFinite)
            .toArray();
    double low = Arrays.stream(finite).min().orElse(0);
    return low > 0 && Arrays.stream(finite).max().getAsDouble() / low > LOGARITHMIC_FROM;
  }

  static Optional<String> learningRate(RunReport report) {
    return perEpoch(report, "learning rate", EpochRow::learningRate, Palette.GREEN);
  }

  static Optional<String> seconds(RunReport report) {
    return perEpoch(report, "seconds", EpochRow::seconds, Palette.AMBER);
  }

  private static Optional<String> perEpoch(
      RunReport report, String name, ToDoubleFunction<EpochRow> value, int color) {
    double[] y = report.history().stream().mapToDouble(value).toArray();
    if (Arrays.stream(y).noneMatch(Double::isFinite)) {
      return Optional.empty();
    }
    Series line = new Series(name, epochs(report.history()), y, color);
    return Optional.of(
        new LineChart(name + " per epoch", "epoch", name, false, List.of(line)).toSvg());
  }

  /** Medians with their intervals for one batch size. */
  static Optional<String> latency(RunReport report, String batch) {
    List<Bar> bars = new ArrayList<>();
    report
        .latencyMs()
        .getOrDefault(batch, Map.of())
        .forEach((model, latency) -> {
          if (Double.isFinite(latency.median())) {
            bars.add(latencyBar(model, latency));
          }
        });
    String title = "Latency at batch " + batchSize(batch);
    return bars.isEmpty()
        ? Optional.empty()
        : Optional.of(new BarChart(title, "milliseconds per call", bars).toSvg());
  }

  private static Bar latencyBar(String model, Latency latency) {
    String text = Units.milliseconds(latency.median());
    return new Bar(
        modelName(model), latency.median(), latency.low(), latency.high(), text, color(model));
  }

  static String batchSize(String batch) {
    return batch.startsWith("batch") ? batch.substring("batch".length()) : batch;
  }

  private static String modelName(String key) {
    return switch (key) {
      case RunReport.KEPT -> "side kept";
      case RunReport.ACTIVATIONS_KEPT -> "gradient activations";
      default -> key.replace('_', ' ');
    };
  }

  private static int color(String model) {
    return switch (model) {
      case RunReport.FADED -> Palette.BLUE;
      case RunReport.KEPT, RunReport.SIDE -> Palette.VERMILLION;
      case RunReport.DELTA -> Palette.GREEN;
      default -> Palette.GREY;
    };
  }

  /** Bytes by name in the unit that suits the largest. */
  static Optional<String> bytes(String title, Map<String, Long> sizes) {
    if (sizes.isEmpty()) {
      return Optional.empty();
    }
    int unit = Units.unitOf(sizes.values().stream().mapToLong(Long::longValue).max().getAsLong());
    List<Bar> bars = new ArrayList<>();
    sizes.forEach((name, bytes) ->
        bars.add(
            Bar.of(modelName(name), Units.inUnit(bytes, unit), Units.bytes(bytes), color(name))));
    return Optional.of(new BarChart(title, Units.unitName(unit), bars).toSvg());
  }

  /** The gate of each tap at the end of the run. */
  static Optional<String> lastGates(RunReport report) {
    if (report.tapSnapshots().isEmpty() || report.tapNames().isEmpty()) {
      return Optional.empty();
    }
    List<Double> gates = report.tapSnapshots().getLast().gates();
    List<Bar> bars = new ArrayList<>();
    for (int i = 0; i < gates.size(); i++) {
      String text = Numbers.fixed(gates.get(i), 2);
      bars.add(Bar.of(report.tapNames().get(i), gates.get(i), text, Palette.VERMILLION));
    }
    String title = "Gate of each tap at the end";
    return Optional.of(new BarChart(title, "share of the side state", bars).toSvg());
  }

  static Optional<String> maskKeepRatio(RunReport report) {
    List<TapSnapshot> snapshots = report.tapSnapshots();
    if (snapshots.stream().noneMatch(s -> s.maskKeepRatio().isPresent())) {
      return Optional.empty();
    }
    double[] x = snapshots.stream().mapToDouble(TapSnapshot::epoch).toArray();
    double[] y =
        snapshots.stream().mapToDouble(s -> s.maskKeepRatio().orElse(Double.NaN)).toArray();
    Series line = new Series("tokens kept by the mask", x, y, Palette.PURPLE);
    String title = "Mask keep ratio per epoch";
    return Optional.of(
        new LineChart(title, "epoch", "share of tokens", false, List.of(line)).toSvg());
  }
}
