package dev.sidefade.report;

import dev.sidefade.report.CompareReport.Variant;
import dev.sidefade.report.svg.Numbers;
import java.util.ArrayList;
import java.util.List;

/** A comparison as a table of texts: one row per variant, means and standard deviations. */
public final class CompareTable {
  private CompareTable() {}

  /** Titles of all columns. */
  static List<String> columns(CompareReport report) {
    String score = new Score(report.scoreName()).label();
    boolean tested = report.split().equals(RunReport.TEST);
    return List.of(
        "Variant",
        "Runs",
        score + (tested ? ", test" : ", val."),
        "Parameters",
        "Peak memory",
        "Seconds",
        "Batch 1",
        "Batch 32");
  }

  /** One row per variant; a dash where nothing was measured. */
  static List<List<String>> rows(CompareReport report) {
    return report.variants().stream().map(variant -> row(report, variant)).toList();
  }

  private static List<String> row(CompareReport report, Variant variant) {
    return List.of(
        variant.name(),
        variant.runs().size() + " of " + report.seeds().size(),
        scoreText(new Score(report.scoreName()), variant.score(report.split())),
        counted(variant.parameters()),
        bytes(variant.memory()),
        seconds(variant.seconds()),
        latency(variant.latency(RunReport.BATCH_1)),
        latency(variant.latency(RunReport.BATCH_32)));
  }

  /** Such as "94.2 % ± 0.3". */
  static String scoreText(Score score, Statistic statistic) {
    String mean = score.shown(statistic.mean());
    if (!Double.isFinite(statistic.deviation())) {
      return mean;
    }
    double deviation = score.factor() * statistic.deviation();
    return mean + " ± " + Numbers.fixed(deviation, score.factor() == 1 ? 3 : 1);
  }

  private static String counted(Statistic count) {
    return count.isKnown() ? Units.count(Math.round(count.mean())) : Units.MISSING;
  }

  private static String bytes(Statistic bytes) {
    return bytes.isKnown() ? Units.bytes(Math.round(bytes.mean())) : Units.MISSING;
  }

  private static String seconds(Statistic seconds) {
    if (!seconds.isKnown()) {
      return Units.MISSING;
    }
    String mean = Numbers.fixed(seconds.mean(), 1);
    return Double.isFinite(seconds.deviation())
        ? mean + " ± " + Numbers.fixed(seconds.deviation(), 1)
        : mean;
  }

  private static String latency(Statistic latency) {
    return Units.milliseconds(latency.mean());
  }

  /**
   * {@return the table and what it says, in fixed-width text for a terminal}
   *
   * @param report what is to be told
   */
  public static String asText(CompareReport report) {
    List<List<String>> lines = new ArrayList<>(List.of(columns(report)));
    lines.addAll(rows(report));
    StringBuilder text = new StringBuilder(Headline.aligned(lines));
    CompareFindings.of(report).forEach(finding -> text.append('\n').append(finding));
    return text.append('\n').toString();
  }

  /** The same as Markdown. */
  static String asMarkdown(CompareReport report) {
    StringBuilder text = new StringBuilder("# " + cell(report.title()) + "\n\n");
    line(columns(report), text);
    text.append("| --- |").append(" ---: |".repeat(columns(report).size() - 1)).append('\n');
    rows(report).forEach(row -> line(row, text));
    text.append("\nMean ± standard deviation over seeds ");
    text.append(String.join(", ", report.seeds().stream().map(String::valueOf).toList()));
    text.append(".\n\n");
    CompareFindings.of(report).forEach(finding -> text.append("- " + cell(finding) + "\n"));
    text.append('\n');
    report.variants().forEach(v -> text.append("- `" + v.name() + "`: " + v.description() + "\n"));
    return text.toString();
  }

  private static void line(List<String> cells, StringBuilder text) {
    text.append('|');
    cells.forEach(cell -> text.append(' ').append(cell(cell)).append(" |"));
    text.append('\n');
  }

  /** Without what would end a cell or a line, or begin markup. */
  private static String cell(String text) {
    return text.replaceAll("\\s+", " ").replaceAll("([\\\\|<>`*_])", "\\\\$1");
  }
}
