package dev.sidefade.report;

import dev.sidefade.report.RunReport.Latency;
import dev.sidefade.report.svg.Numbers;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;

/** What a reader wants to know first: three models side by side, and what that comparison says. */
public final class Headline {
  /** Column titles of {@link #rows}, after the name of the model. */
  private static final List<String> COLUMNS =
      List.of("Val.", "Test", "Batch 1", "Batch 32", "Parameters", "Training memory");

  private Headline() {}

  /**
   * One model in the comparison.
   *
   * @param name of the model, in words
   * @param cells one text per column of {@link #columns}, a dash where nothing was measured
   */
  public record Row(String name, List<String> cells) {
    /** Copies the list. */
    public Row {
      cells = List.copyOf(cells);
    }
  }

  /** {@return titles of the columns} */
  public static List<String> columns() {
    return COLUMNS;
  }

  /**
   * {@return linear probe, kept side network, faded model} The probe runs as the original backbone
   * does, so it has that latency; parameters are those at inference.
   *
   * @param report what is to be told
   */
  public static List<Row> rows(RunReport report) {
    long backbone = report.parameters().getOrDefault(RunReport.BACKBONE, -1L);
    long side = report.parameters().getOrDefault(RunReport.SIDE, -1L);
    long both = backbone < 0 || side < 0 ? -1 : backbone + side;
    return List.of(
        row(
            report,
            "Linear probe",
            RunReport.LINEAR_PROBE,
            RunReport.ORIGINAL,
            backbone,
            RunReport.PROBE_PEAK),
        row(
            report,
            "Side network kept",
            RunReport.SIDE,
            RunReport.KEPT,
            both,
            RunReport.TRAINING_PEAK),
        row(report, "Faded", RunReport.FADED, RunReport.FADED, backbone, RunReport.TRAINING_PEAK));
  }

  private static Row row(
      RunReport report, String name, String model, String timed, long parameters, String memory) {
    Score score = Score.of(report);
    Long bytes = report.memoryBytes().get(memory);
    return new Row(
        name,
        List.of(
            score.shown(report.score(RunReport.VAL, model).orElse(Double.NaN)),
            score.shown(report.score(RunReport.TEST, model).orElse(Double.NaN)),
            latency(report, RunReport.BATCH_1, timed),
            latency(report, RunReport.BATCH_32, timed),
            parameters < 0 ? Units.MISSING : Units.count(parameters),
            bytes == null ? Units.MISSING : Units.bytes(bytes)));
  }

  private static String latency(RunReport report, String batch, String model) {
    return Units.milliseconds(report.latency(batch, model).map(Latency::median).orElse(Double.NaN));
  }

  /**
   * {@return the table in fixed-width text, for a terminal}
   *
   * @param report what is to be told
   */
  public static String asText(RunReport report) {
    List<List<String>> lines = new ArrayList<>();
    lines.add(line("", COLUMNS));
    rows(report).forEach(row -> lines.add(line(row.name, row.cells)));
    return aligned(lines);
  }

  /**
   * Lines of equally many cells under each other, the first to the left, the others to the right.
   */
  static String aligned(List<List<String>> lines) {
    StringBuilder text = new StringBuilder();
    for (List<String> line : lines) {
      StringBuilder shown = new StringBuilder();
      for (int column = 0; column < line.size(); column++) {
        int at = column;
        int width = lines.stream().mapToInt(l -> l.get(at).length()).max().getAsInt();
        String padding = " ".repeat(width - line.get(column).length());
        String cell = line.get(column);
        shown.append(column == 0 ? cell + padding : "  " + padding + cell);
      }
      text.append(shown.toString().stripTrailing()).append('\n');
    }
    return text.toString();
  }

  private static List<String> line(String name, List<String> cells) {
    List<String> line = new ArrayList<>();
    line.add(name);
    line.addAll(cells);
    return line;
  }

  /**
   * The split that the findings speak of: test where the faded model was tested, else validation.
   */
  static String split(RunReport report) {
    return report.score(RunReport.TEST, RunReport.FADED).isPresent()
        ? RunReport.TEST
        : RunReport.VAL;
  }

  /**
   * {@return plain sentences that the numbers allow, also where they speak against fading; empty
   * without numbers}
   *
   * @param report what is to be told
   */
  public static List<String> findings(RunReport report) {
    List<String> findings = new ArrayList<>();
    String split = split(report);
    String rows = split.equals(RunReport.TEST) ? "test" : "validation";
    againstProbe(report, split, rows).ifPresent(findings::add);
    againstSide(report, split, rows).ifPresent(findings::add);
    ofUnlabelled(report, split, rows).ifPresent(findings::add);
    ratio(
            report,
            RunReport.FADED,
            "The faded model takes %s times as long as the original backbone%s.")
        .ifPresent(findings::add);
    ratio(
            report,
            RunReport.KEPT,
            "With the side network kept it would take %s times as long as that%s.")
        .ifPresent(findings::add);
    return findings;
  }

  private static Optional<String> againstProbe(RunReport report, String split, String rows) {
    OptionalDouble faded = report.score(split, RunReport.FADED);
    OptionalDouble probe = report.score(split, RunReport.LINEAR_PROBE);
    if (faded.isEmpty() || probe.isEmpty()) {
      return Optional.empty();
    }
    Score score = Score.of(report);
    return Optional.of(
        "On the %s rows the faded model is %s the linear probe (%s against %s)."
            .formatted(
                rows,
                score.compared(faded.getAsDouble() - probe.getAsDouble()),
                score.shown(faded.getAsDouble()),
                score.shown(probe.getAsDouble())));
  }

  private static Optional<String> againstSide(RunReport report, String split, String rows) {
    OptionalDouble faded = report.score(split, RunReport.FADED);
    OptionalDouble side = report.score(split, RunReport.SIDE);
    if (faded.isEmpty() || side.isEmpty()) {
      return Optional.empty();
    }
    Score score = Score.of(report);
    double lead = side.getAsDouble() - faded.getAsDouble();
    return Optional.of(
        lead > Score.NOTICEABLE
            ? "A kept side network would have been %s better on the %s rows."
                .formatted(score.difference(lead), rows)
            : "Keeping the side network would not have been better on the %s rows (%s)."
                .formatted(rows, score.signed(lead)));
  }

  private static Optional<String> ofUnlabelled(RunReport report, String split, String rows) {
    OptionalDouble with = report.score(split, RunReport.FADED);
    OptionalDouble without = report.withoutUnlabelled(split, RunReport.FADED);
    if (with.isEmpty() || without.isEmpty()) {
      return Optional.empty();
    }
    Score score = Score.of(report);
    return Optional.of(
        "On the %s rows the faded model is %s one without the unlabelled examples (%s against %s)."
            .formatted(
                rows,
                score.compared(with.getAsDouble() - without.getAsDouble()),
                score.shown(with.getAsDouble()),
                score.shown(without.getAsDouble())));
  }

  private static Optional<String> ratio(RunReport report, String model, String sentence) {
    List<String> numbers = new ArrayList<>();
    List<String> batches = new ArrayList<>();
    for (String batch : List.of(RunReport.BATCH_1, RunReport.BATCH_32)) {
      double original = median(report, batch, RunReport.ORIGINAL);
      double ratio = median(report, batch, model) / original;
      if (Double.isFinite(ratio)) {
        numbers.add(Numbers.fixed(ratio, 2));
        batches.add(batch.substring("batch".length()));
      }
    }
    if (numbers.isEmpty()) {
      return Optional.empty();
    }
    String where = " at batch " + String.join(" and ", batches);
    return Optional.of(sentence.formatted(String.join(" and ", numbers), where));
  }

  static double median(RunReport report, String batch, String model) {
    return report.latency(batch, model).map(Latency::median).orElse(Double.NaN);
  }
}
