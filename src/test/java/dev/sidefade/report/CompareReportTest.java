package dev.sidefade.report;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import dev.sidefade.report.CompareReport.Variant;
import dev.sidefade.report.svg.Xml;
import dev.sidefade.tensor.BadInputException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.DoubleStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.w3c.dom.Document;

class CompareReportTest {
  private static RunMetrics run(long seed, double score, double side) {
    RunReportBuilder builder =
        RunReport.builder("r")
            .seed(seed)
            .seconds(20 + 2 * seed)
            .accuracy(RunReport.TEST, RunReport.FADED, score)
            .parameters(RunReport.TUNED, 4096)
            .memoryBytes(RunReport.TRAINING_PEAK, 3 << 20)
            .latency(RunReport.BATCH_1, RunReport.FADED, new RunReport.Latency(2, 1, 3))
            .environment("java", "25.0.1");
    if (Double.isFinite(side)) {
      builder.accuracy(RunReport.TEST, RunReport.SIDE, side).parameters(RunReport.SIDE, 9000);
    }
    return RunMetrics.of(builder.build());
  }

  private static Variant variant(String name, double score, double side) {
    String network = name.equals("side-kept") ? RunReport.SIDE : RunReport.FADED;
    List<RunMetrics> runs = List.of(run(0, score - 0.01, side), run(1, score + 0.01, side));
    return new Variant(name, "about " + name, network, runs);
  }

  private static CompareReport report(Variant... variants) {
    return new CompareReport("a <b> | c", List.of(0L, 1L), List.of(variants), Map.of("epochs", 3));
  }

  private static CompareReport full(double kept) {
    return report(
        variant("linear-probe", 0.6, Double.NaN),
        variant("norms-ce", 0.7, Double.NaN),
        variant("side-kept", Double.NaN, kept),
        variant("faded-norms", 0.72, 0.65),
        variant("low-rank-ce", 0.8, Double.NaN),
        variant("faded-low-rank", 0.79, 0.66));
  }

  @Test
  void statisticsOfSamples() {
    Statistic three = Statistic.of(DoubleStream.of(1, 2, 6, Double.NaN));
    assertEquals(new Statistic(3, 3, Math.sqrt(7)), three);
    assertEquals(1, Statistic.of(DoubleStream.of(5)).count());
    assertTrue(Double.isNaN(Statistic.of(DoubleStream.of(5)).deviation()));
    assertFalse(Statistic.of(DoubleStream.empty()).isKnown());
    Random random = new Random(5);
    for (int run = 0; run < 50; run++) {
      double[] values = random.doubles(2 + random.nextInt(9), -3, 3).toArray();
      Statistic s = Statistic.of(DoubleStream.of(values));
      Statistic shifted = Statistic.of(DoubleStream.of(values).map(v -> 2 * v + 10));
      assertEquals(2 * s.mean() + 10, shifted.mean(), 1e-12);
      assertEquals(2 * s.deviation(), shifted.deviation(), 1e-12);
    }
  }

  @Test
  void findingsSayWhetherAKeptSideNetworkWouldBeBetter() {
    assertEquals(
        List.of(
            "Best on the test rows is low-rank-ce with 80.0 % ± 1.4 over 2 seeds.",
            "No kept side network would have been better: −4.0 points at best (side-kept 75.0 % ±"
                + " 0.0 against faded-low-rank 79.0 % ± 1.4).",
            "Against norms-ce, the same tuning on labels alone, faded-norms is 2.0 points better.",
            "Against low-rank-ce, the same tuning on labels alone, faded-low-rank is 1.0 points"
                + " worse."),
        CompareFindings.of(full(0.75)));
    assertEquals(
        "A kept side network would have been 6.0 points better (side-kept 85.0 % ± 0.0 against"
            + " faded-low-rank 79.0 % ± 1.4).",
        CompareFindings.of(full(0.85)).get(1));
    assertEquals(
        "No kept side network would have been better: −7.0 points at best (the one beside"
            + " faded-norms 65.0 % ± 0.0 against faded-norms 72.0 % ± 1.4).",
        CompareFindings.of(report(variant("faded-norms", 0.72, 0.65))).get(1));
  }

  @Test
  void partialComparisonsSaySo() {
    Variant none = new Variant("norms-ce", "", RunReport.FADED, List.of());
    Variant one = new Variant("faded-norms", "", RunReport.FADED, List.of(run(1, 0.5, 0.4)));
    CompareReport report = report(none, one);
    assertFalse(report.isWhole());
    assertEquals(
        "1 of 4 runs are finished; what follows holds so far.",
        CompareFindings.of(report).getFirst());
    assertEquals(
        List.of("norms-ce", "0 of 2", "–", "–", "–", "–", "–", "–"),
        CompareTable.rows(report).getFirst());
    assertEquals(
        List.of("faded-norms", "1 of 2", "50.0 %", "4,096", "3 MiB", "22.0", "2 ms", "–"),
        CompareTable.rows(report).getLast());
    CompareReport empty = report(none);
    assertEquals(RunReport.VAL, empty.split());
    Xml.parse(CompareHtml.toHtml(empty));
    assertEquals(1, CompareFindings.of(empty).size());
  }

  @Test
  void textAndMarkdownHaveARowPerVariant() {
    CompareReport report = full(0.75);
    String text = CompareTable.asText(report);
    List<String> table = text.lines().limit(7).toList();
    assertEquals(1, table.stream().mapToInt(String::length).distinct().count(), text);
    assertTrue(table.getFirst().contains("Accuracy, test"), text);
    String markdown = CompareTable.asMarkdown(report);
    List<String> rows = markdown.lines().filter(line -> line.startsWith("|")).toList();
    assertEquals(8, rows.size());
    for (String row : rows) {
      assertEquals(9, row.chars().filter(c -> c == '|').count(), row);
    }
    assertTrue(markdown.startsWith("# a \\<b\\> \\| c\n"), markdown);
    assertTrue(
        markdown.contains(
            "| faded-low-rank | 2 of 2 | 79.0 % ± 1.4 | 4,096 | 3 MiB | 21.0 ± 1.4 | 2 ms | – |"),
        markdown);
  }

  @Test
  void thePageIsWholeAndLoadsNothing() {
    String html = CompareHtml.toHtml(full(0.75));
    Document page = Xml.parse(html);
    assertEquals(
        List.of(
            "Comparison",
            "What the numbers say",
            "Side by side",
            "Variants",
            "Configuration",
            "Environment"),
        Xml.texts(page, "h2"));
    assertEquals(3, Xml.elements(page, "svg").size());
    assertEquals("a <b> | c", Xml.texts(page, "h1").getFirst());
    assertFalse(html.contains("NaN"));
    String without = html.replace("xmlns=\"http://www.w3.org/2000/svg\"", "");
    for (String forbidden : List.of("http:", "https:", "url(", "@import", "<script", "<link")) {
      assertFalse(without.contains(forbidden), forbidden);
    }
  }

  @Test
  void jsonHasTheFigures(@TempDir Path folder) throws IOException {
    CompareFiles.write(full(0.75), folder);
    try (var files = Files.list(folder)) {
      assertEquals(
          CompareFiles.NAMES.stream().sorted().toList(),
          files.map(f -> f.getFileName().toString()).sorted().toList());
    }
    JsonObject json =
        JsonParser.parseString(Files.readString(folder.resolve(CompareFiles.JSON)))
            .getAsJsonObject();
    assertEquals("accuracy", json.get("score").getAsString());
    assertEquals(12, json.get("runs_finished").getAsInt());
    JsonObject faded = json.getAsJsonArray("variants").get(3).getAsJsonObject();
    assertEquals("faded-norms", faded.get("name").getAsString());
    assertEquals(0.72, faded.getAsJsonObject("score").get("mean").getAsDouble(), 1e-12);
    assertEquals(0.65, faded.getAsJsonObject("side_score").get("mean").getAsDouble(), 1e-12);
    assertEquals(
        0.71,
        faded.getAsJsonArray("runs").get(0).getAsJsonObject().get("test").getAsDouble(),
        1e-12);
    JsonObject probe = json.getAsJsonArray("variants").get(0).getAsJsonObject();
    assertTrue(probe.getAsJsonObject("side_score").get("mean").isJsonNull());
    assertEquals("25.0.1", json.getAsJsonObject("versions").get("java").getAsString());
  }

  @Test
  void runsAreReadAsTheyWereWritten(@TempDir Path folder) throws IOException {
    Path file = folder.resolve("metrics.json");
    RunReport full = SampleReports.full();
    MetricsJson.write(full, file);
    RunMetrics read = RunMetrics.read(file);
    assertEquals(RunMetrics.of(full), read);
    assertEquals(0.931, read.score(RunReport.TEST, RunReport.FADED));
    assertEquals(14.9, read.latency(RunReport.BATCH_32, RunReport.KEPT));
    assertEquals(1_546, read.parameters().get(RunReport.TUNED));
    assertEquals("\"final-norm\"", read.config().get("tune"));
    assertTrue(Double.isNaN(read.score("train", RunReport.FADED)));
    assertTrue(Double.isNaN(RunMetrics.of(RunReport.builder("e").build()).seconds()));
  }

  /** Half a file, or one with a wrong value, is refused by name and never ends in anything else. */
  @Test
  void brokenMetricsAreRefused(@TempDir Path folder) throws IOException {
    Path file = folder.resolve("metrics.json");
    String whole = MetricsJson.toJson(RunReport.builder("small").build());
    List<String> broken = new ArrayList<>(List.of("", "[]", "3", "null", "{}", "{\"seed\":1}"));
    for (int length = 1; length < whole.length() - 2; length += 7) {
      broken.add(whole.substring(0, length));
    }
    for (String name : List.of("accuracy", "latency_ms", "parameters", "config", "versions")) {
      broken.add(whole.replace("\"" + name + "\": {", "\"" + name + "\": 3, \"x\": {"));
    }
    broken.add(whole.replace("\"seed\": 0", "\"seed\": \"many\""));
    for (String text : broken) {
      Files.writeString(file, text);
      BadInputException e =
          assertThrows(BadInputException.class, () -> RunMetrics.read(file), text);
      assertTrue(e.getMessage().contains(file.toString()), e.getMessage());
    }
    Files.write(file, new byte[] {(byte) 0xff, 0});
    assertThrows(BadInputException.class, () -> RunMetrics.read(file));
  }
}
