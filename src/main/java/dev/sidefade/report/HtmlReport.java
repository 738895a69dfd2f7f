package dev.sidefade.report;

import dev.sidefade.report.svg.Markup;
import dev.sidefade.tensor.AtomicFile;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;

/**
 * {@code report.html}: the report for people, in one file that loads nothing: styles, charts and
 * images are in it, there is no script, and its content security policy forbids the rest. The file
 * is well-formed XML too. The same report always gives the same bytes.
 */
public final class HtmlReport {
  private static final String POLICY =
      "default-src 'none'; style-src 'unsafe-inline'; img-src data:";

  private final RunReport report;
  private final Markup html;

  private HtmlReport(RunReport report) {
    this.report = report;
    html = begin(report.title());
  }

  /**
   * Writes the report into {@code file}, whose folder must exist; the file appears whole or not at
   * all.
   *
   * @param report what is to be told
   * @param file the file
   * @throws IOException if the file cannot be written
   */
  public static void write(RunReport report, Path file) throws IOException {
    byte[] bytes = toHtml(report).getBytes(StandardCharsets.UTF_8);
    AtomicFile.write(file, path -> Files.write(path, bytes));
  }

  /**
   * {@return the report as one HTML document}
   *
   * @param report what is to be told
   */
  public static String toHtml(RunReport report) {
    return new HtmlReport(report).page();
  }

  private String page() {
    header();
    tiles();
    comparison();
    training();
    confusion();
    cost();
    ReportExports.table(report, html);
    ladder();
    predictions();
    pairs("Configuration", ReportText.flattened(report.config()), html);
    pairs("Environment", report.environment(), html);
    sentences("Notes", report.notes(), html);
    return end(html);
  }

  /** A page up to where its content starts. */
  static Markup begin(String title) {
    Markup html = new Markup();
    html.raw("<!DOCTYPE html>\n").open("html", "lang", "en");
    html.open("head").leaf("meta", "charset", "utf-8");
    html.leaf("meta", "http-equiv", "Content-Security-Policy", "content", POLICY);
    html.leaf("meta", "name", "viewport", "content", "width=device-width, initial-scale=1");
    html.element("title", title);
    html.open("style").raw(ReportStyle.css()).close().close();
    return html.open("body").open("main");
  }

  /** The page that {@link #begin} began. */
  static String end(Markup html) {
    return html.close().close().close().toString();
  }

  private void header() {
    html.element("h1", report.title());
    html.open("p", "class", "facts");
    html.element("span", report.task());
    if (!report.classNames().isEmpty()) {
      int classes = report.classNames().size();
      html.element("span", classes == 1 ? "1 class" : Units.count(classes) + " classes");
    }
    html.element("span", "device " + report.device());
    html.element("span", "seed " + report.seed());
    if (Double.isFinite(report.seconds())) {
      html.element("span", "took " + Units.duration(report.seconds()));
    }
    html.close();
  }

  private void tiles() {
    html.open("div", "class", "tiles");
    String split = Headline.split(report);
    Score score = Score.of(report);
    OptionalDouble faded = report.score(split, RunReport.FADED);
    OptionalDouble probe = report.score(split, RunReport.LINEAR_PROBE);
    if (faded.isPresent()) {
      String aside =
          probe.isPresent()
              ? score.signed(faded.getAsDouble() - probe.getAsDouble()) + " to the probe"
              : "";
      String rows = split.equals(RunReport.TEST) ? "test" : "validation";
      tile(score.label() + ", faded, " + rows, score.shown(faded.getAsDouble()), aside);
    }
    double latency = Headline.median(report, RunReport.BATCH_1, RunReport.FADED);
    if (Double.isFinite(latency)) {
      tile("Latency, faded, batch 1", Units.milliseconds(latency), latencyAside(latency));
    }
    bytesTile(
        "Delta to the backbone", report.fileBytes(), RunReport.DELTA, "size of the task file");
    String peak = "peak while training";
    bytesTile("Training memory", report.memoryBytes(), RunReport.TRAINING_PEAK, peak);
    html.close();
  }

  private String latencyAside(double latency) {
    double original = Headline.median(report, RunReport.BATCH_1, RunReport.ORIGINAL);
    double kept = Headline.median(report, RunReport.BATCH_1, RunReport.KEPT);
    if (Double.isFinite(kept)) {
      return Units.milliseconds(kept) + " with the side network kept";
    }
    return Double.isFinite(original) && original != latency
        ? Units.milliseconds(original) + " before"
        : "";
  }

  private void bytesTile(String name, Map<String, Long> sizes, String key, String aside) {
    Long bytes = sizes.get(key);
    if (bytes != null) {
      tile(name, Units.bytes(bytes), aside);
    }
  }

  private void tile(String name, String value, String aside) {
    html.open("div", "class", "card tile").element("div", name, "class", "name");
    html.element("div", value, "class", "value");
    html.element("div", aside, "class", "aside").close();
  }

  private void comparison() {
    section("Comparison");
    html.open("div", "class", "card").open("table", "class", "models");
    html.element(
        "caption",
        "Val. and Test: "
            + Score.of(report).explanation()
            + ". Batch 1 and 32: median time per call. Parameters: at inference. Training memory:"
            + " peak. A dash was not measured.");
    html.open("thead").open("tr").element("th", "Model", "scope", "col");
    Headline.columns().forEach(column -> html.element("th", column, "scope", "col"));
    html.close().close().open("tbody");
    List<Headline.Row> rows = Headline.rows(report);
    for (Headline.Row row : rows) {
      html.open("tr", "class", row.equals(rows.getLast()) ? "chosen" : "other");
      html.element("th", row.name(), "scope", "row");
      for (int i = 0; i < row.cells().size(); i++) {
        html.element("td", row.cells().get(i), "data-name", Headline.columns().get(i));
      }
      html.close();
    }
    html.close().close().close();
    ReportMeasures.further(report, html);
    ReportMeasures.unlabelled(report, html);
    sentences("What the numbers say", Headline.findings(report), html);
  }

  private void training() {
    if (report.history().isEmpty()) {
      return;
    }
    section("Training");
    html.open("div", "class", "charts");
    figure(ReportCharts.scoreTitle(report), ReportCharts.scorePerEpoch(report), "");
    figure("Loss terms per epoch", ReportCharts.losses(report), "");
    figure("Learning rate per epoch", ReportCharts.learningRate(report), "");
    figure("Time per epoch", ReportCharts.seconds(report), "");
    html.close();
  }

  private void confusion() {
    Optional<String> chart = ReportHeatMaps.confusion(report);
    if (chart.isEmpty()) {
      return;
    }
    section("Where the faded model is wrong");
    html.open("div", "class", "charts");
    int block = ReportHeatMaps.blockSize(report.classNames().size());
    String caption =
        "Rows are the true classes, columns what was predicted; the diagonal is right."
            + (block == 1 ? "" : " Each cell sums " + block + " neighbouring classes.");
    String split = report.confusion().orElseThrow().split();
    figure("Confusion matrix, " + split + " rows", chart, caption);
    ReportText.confusions(report, html);
    html.close();
  }

  private void cost() {
    Optional<String> files = ReportCharts.bytes("File sizes", report.fileBytes());
    Optional<String> memory = ReportCharts.bytes("Memory", report.memoryBytes());
    if (files.isEmpty() && memory.isEmpty() && report.latencyMs().isEmpty()) {
      return;
    }
    section("What it costs");
    html.open("div", "class", "charts");
    for (String batch : report.latencyMs().keySet()) {
      String title = "Latency at batch " + ReportCharts.batchSize(batch);
      String caption = "Medians; the whiskers are the interval that was seen.";
      figure(title, ReportCharts.latency(report, batch), caption);
    }
    figure("File sizes", files, "");
    figure("Memory", memory, "");
    html.close();
  }

  private void ladder() {
    Optional<String> gates = ReportCharts.lastGates(report);
    Optional<String> mask = ReportCharts.maskKeepRatio(report);
    if (gates.isEmpty() && mask.isEmpty()) {
      return;
    }
    section("Gates and mask");
    html.open("div", "class", "charts");
    String caption =
        "1: the tap passes the side state on, 0: it takes the backbone's features, 0.5: both.";
    figure("Gate of each tap at the end", gates, caption);
    figure("Gate per tap and epoch", ReportHeatMaps.gates(report), "");
    figure("Mask keep ratio per epoch", mask, "");
    html.close();
  }

  private void predictions() {
    if (report.predictions().isEmpty()) {
      return;
    }
    section("Some predictions of the faded model");
    html.open("ul", "class", "gallery");
    report.predictions().forEach(sample -> ReportText.prediction(sample, html));
    html.close();
  }

  private void section(String title) {
    html.element("h2", title);
  }

  private void figure(String title, Optional<String> svg, String caption) {
    if (svg.isEmpty()) {
      return;
    }
    html.open("figure", "class", "card").element("h3", title).raw(svg.get());
    if (!caption.isEmpty()) {
      html.element("figcaption", caption);
    }
    html.close();
  }

  /** A table of names and values, nothing without any. */
  static void pairs(String title, Map<String, String> pairs, Markup html) {
    if (pairs.isEmpty()) {
      return;
    }
    html.element("h2", title);
    html.open("div", "class", "card").open("table", "class", "pairs").open("tbody");
    pairs.forEach((name, value) ->
        html.open("tr").element("th", name, "scope", "row").element("td", value).close());
    html.close().close().close();
  }

  /** A list of sentences, nothing without any. */
  static void sentences(String title, List<String> sentences, Markup html) {
    if (sentences.isEmpty()) {
      return;
    }
    html.element("h2", title);
    html.open("div", "class", "card").open("ul", "class", "plain");
    sentences.forEach(sentence -> html.element("li", sentence));
    html.close().close();
  }
}
