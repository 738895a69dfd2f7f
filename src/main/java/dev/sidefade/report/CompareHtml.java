package dev.sidefade.report;

import dev.sidefade.report.CompareReport.Variant;
import dev.sidefade.report.svg.BarChart;
import dev.sidefade.report.svg.BarChart.Bar;
import dev.sidefade.report.svg.Markup;
import dev.sidefade.report.svg.Numbers;
import dev.sidefade.report.svg.Palette;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;

/** A comparison for people, in one file that loads nothing, in the style of {@link HtmlReport}. */
final class CompareHtml {
  private CompareHtml() {}

  static String toHtml(CompareReport report) {
    Markup html = HtmlReport.begin(report.title());
    html.element("h1", report.title());
    html.open("p", "class", "facts");
    html.element("span", report.finished() + " of " + report.wanted() + " runs");
    String seeds = String.join(", ", report.seeds().stream().map(String::valueOf).toList());
    html.element("span", "seeds " + seeds).close();
    List<String> columns = CompareTable.columns(report);
    ReportMeasures.table("Comparison", columns, CompareTable.rows(report), html);
    HtmlReport.sentences("What the numbers say", CompareFindings.of(report), html);
    charts(report, html);
    Map<String, String> variants = new LinkedHashMap<>();
    report.variants().forEach(v -> variants.put(v.name(), v.description()));
    HtmlReport.pairs("Variants", variants, html);
    HtmlReport.pairs("Configuration", ReportText.flattened(report.config()), html);
    HtmlReport.pairs("Environment", report.environment(), html);
    return HtmlReport.end(html);
  }

  private static void charts(CompareReport report, Markup html) {
    if (report.finished() == 0) {
      return;
    }
    Score score = new Score(report.scoreName());
    String rows = report.split().equals(RunReport.TEST) ? "test" : "validation";
    html.element("h2", "Side by side").open("div", "class", "charts");
    String whiskers = "Means over the seeds; the whiskers are a standard deviation to either side.";
    List<Bar> scores = new ArrayList<>();
    for (Variant variant : report.variants()) {
      Statistic statistic = variant.score(report.split());
      double mean = score.factor() * statistic.mean();
      double spread = score.factor() * statistic.deviation();
      String text = CompareTable.scoreText(score, statistic);
      scores.add(new Bar(variant.name(), mean, mean - spread, mean + spread, text, color(variant)));
    }
    String title = score.label() + " on the " + rows + " rows";
    figure(title, new BarChart(title, score.axis(), scores), whiskers, html);
    bars(report, "Seconds per run", "seconds", Variant::seconds, whiskers, html);
    for (String batch : List.of(RunReport.BATCH_1, RunReport.BATCH_32)) {
      String name = "Latency at batch " + ReportCharts.batchSize(batch);
      bars(report, name, "milliseconds per call", v -> v.latency(batch), whiskers, html);
    }
    html.close();
  }

  private static void bars(
      CompareReport report,
      String title,
      String axis,
      Function<Variant, Statistic> value,
      String caption,
      Markup html) {
    List<Bar> bars = new ArrayList<>();
    for (Variant variant : report.variants()) {
      Statistic s = value.apply(variant);
      String text = s.isKnown() ? Numbers.significant(s.mean(), 3) : Units.MISSING;
      double low = s.mean() - s.deviation();
      double high = s.mean() + s.deviation();
      bars.add(new Bar(variant.name(), s.mean(), low, high, text, color(variant)));
    }
    if (bars.stream().anyMatch(bar -> Double.isFinite(bar.value()))) {
      figure(title, new BarChart(title, axis, bars), caption, html);
    }
  }

  private static void figure(String title, BarChart chart, String caption, Markup html) {
    html.open("figure", "class", "card").element("h3", title).raw(chart.toSvg());
    html.element("figcaption", caption).close();
  }

  private static int color(Variant variant) {
    if (variant.network().equals(RunReport.SIDE)) {
      return Palette.VERMILLION;
    }
    boolean taught = variant.sideScore(RunReport.VAL).isKnown();
    return taught ? Palette.BLUE : Palette.GREY;
  }
}
