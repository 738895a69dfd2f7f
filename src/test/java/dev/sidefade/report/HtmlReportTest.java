package dev.sidefade.report;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.sidefade.report.RunReport.EpochRow;
import dev.sidefade.report.RunReport.Latency;
import dev.sidefade.report.RunReport.PredictionSample;
import dev.sidefade.report.RunReport.TapSnapshot;
import dev.sidefade.report.svg.Xml;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.w3c.dom.Document;
import org.w3c.dom.Element;

class HtmlReportTest {
  private static Document page(RunReport report) {
    String html = HtmlReport.toHtml(report);
    assertFalse(html.contains("NaN"), "NaN in the page");
    return Xml.parse(html);
  }

  @Test
  void hasEverySection() {
    Document page = page(SampleReports.full());
    assertEquals(
        List.of(
            "Comparison",
            "What the numbers say",
            "Training",
            "Where the faded model is wrong",
            "What it costs",
            "Gates and mask",
            "Some predictions of the faded model",
            "Configuration",
            "Environment",
            "Notes"),
        Xml.texts(page, "h2"));
    assertEquals(12, Xml.elements(page, "svg").size());
    assertEquals(12, Xml.elements(page, "img").size());
  }

  @Test
  void loadsNothing() {
    String html = HtmlReport.toHtml(SampleReports.full());
    String without = html.replace("xmlns=\"http://www.w3.org/2000/svg\"", "");
    for (String forbidden :
        List.of("http:", "https:", "url(", "@import", "<script", "<link", "//")) {
      // Base64 may hold two slashes, so images are looked at on their own.
      String text = without.replaceAll("base64,[A-Za-z0-9+/=]+", "");
      assertFalse(text.contains(forbidden), forbidden);
    }
    Document page = Xml.parse(html);
    for (Element image : Xml.elements(page, "img")) {
      assertTrue(image.getAttribute("src").startsWith("data:image/png;base64,"));
      assertFalse(image.getAttribute("alt").isEmpty());
    }
    assertTrue(html.contains("default-src &#39;none&#39;"));
  }

  @Test
  void tablesSayWhatTheirHeadersAreFor() {
    for (Element header : Xml.elements(page(SampleReports.full()), "th")) {
      assertTrue(List.of("col", "row").contains(header.getAttribute("scope")));
    }
  }

  @Test
  void tellsTheHeadlineNumbers() {
    Document page = page(SampleReports.full());
    List<String> cells = Xml.texts(page, "td");
    for (String number :
        List.of("90.9 %", "94.3 %", "93.1 %", "0.716 ms", "14.9 ms", "1,204,234", "46 MiB")) {
      assertTrue(cells.contains(number), number + " in " + cells);
    }
    assertTrue(
        Xml.texts(page, "li")
            .contains("A kept side network would have been 1.2 points better on the test rows."));
  }

  @Test
  void imagesAreTheBytesThatWereGiven() {
    byte[] png = SampleReports.png("5");
    RunReport report =
        RunReport.builder("one").prediction(new PredictionSample(png, "5", "3", 0.4)).build();
    String source = Xml.elements(page(report), "img").getFirst().getAttribute("src");
    assertEquals(
        Base64.getEncoder().encodeToString(png), source.substring(source.indexOf(',') + 1));
    assertTrue(Xml.texts(page(report), "div").contains("truth: 5"));
  }

  @Test
  void everyTextIsEscaped() {
    String nasty = "</style><script>alert('x & y')</script>\0";
    Map<String, Object> config = new LinkedHashMap<>();
    config.put(nasty, List.of(nasty));
    config.put("inner", Map.of(nasty, nasty));
    RunReport report =
        RunReport.builder(nasty)
            .task(nasty)
            .device(nasty)
            .classNames(List.of(nasty, "b"))
            .config(config)
            .confusion(nasty, new long[][] {{3, 1}, {0, 2}})
            .epoch(epoch(1, nasty, 0.5))
            .accuracy(nasty, nasty, 0.5)
            .latency(nasty, nasty, new Latency(1, 1, 2))
            .fileBytes(nasty, 5)
            .memoryBytes(nasty, 5)
            .tapNames(List.of(nasty))
            .tapSnapshot(new TapSnapshot(1, List.of(0.5), OptionalDouble.of(1)))
            .tapSnapshot(new TapSnapshot(2, List.of(0.6), OptionalDouble.of(1)))
            .prediction(new PredictionSample(new byte[0], nasty, "b", 0.1))
            .environment(nasty, nasty)
            .note(nasty)
            .build();
    assertFalse(HtmlReport.toHtml(report).contains("<script"));
    Document page = page(report);
    assertEquals(0, Xml.elements(page, "script").size());
    assertEquals(1, Xml.elements(page, "style").size());
    assertEquals(nasty.replace('\0', '\uFFFD'), Xml.texts(page, "h1").getFirst());
  }

  private static EpochRow epoch(int epoch, String loss, double value) {
    return new EpochRow(
        epoch, Map.of(loss, value), OptionalDouble.empty(), OptionalDouble.empty(), 1e-3, 1);
  }

  @Test
  void anEmptyReportIsAPageWithDashes() {
    Document page = page(RunReport.builder("empty").build());
    assertEquals(List.of("Comparison"), Xml.texts(page, "h2"));
    assertTrue(Xml.texts(page, "td").stream().allMatch("–"::equals));
    assertEquals(0, Xml.elements(page, "svg").size());
  }

  @Test
  void withoutTestRowsValidationIsTheHeadline() {
    RunReport report =
        RunReport.builder("val")
            .accuracy(RunReport.VAL, RunReport.LINEAR_PROBE, 0.9)
            .accuracy(RunReport.VAL, RunReport.FADED, 0.88)
            .build();
    Document page = page(report);
    assertTrue(Xml.texts(page, "div").contains("Accuracy, faded, validation"));
    assertTrue(
        Xml.texts(page, "li")
            .contains(
                "On the validation rows the faded model is 2.0 points worse than the linear probe"
                    + " (88.0 % against 90.0 %)."));
  }

  @Test
  void missingNumbersAreLeftOut() {
    RunReport report =
        RunReport.builder("gaps")
            .classNames(List.of("only"))
            .confusion(RunReport.VAL, new long[][] {{0}})
            .accuracy(RunReport.TEST, RunReport.FADED, Double.NaN)
            .latency(RunReport.BATCH_1, RunReport.FADED, new Latency(Double.NaN, 1, 2))
            .latency(RunReport.BATCH_32, RunReport.KEPT, new Latency(3, Double.NaN, Double.NaN))
            .epoch(epoch(1, "kl", Double.NaN))
            .epoch(epoch(2, "ce", 0.5))
            .tapNames(List.of("a"))
            .tapSnapshot(new TapSnapshot(1, List.of(Double.NaN), OptionalDouble.empty()))
            .build();
    assertTrue(Xml.texts(page(report), "h2").contains("Where the faded model is wrong"));
  }

  @Test
  void aThousandClassesAreSummedIntoBlocks() {
    List<String> names = IntStream.range(0, 1000).mapToObj(i -> "class " + i).toList();
    RunReport report =
        RunReport.builder("many")
            .classNames(names)
            .confusion(RunReport.TEST, SampleReports.confusion(1000, 20_000, new Random(2)))
            .build();
    String html = HtmlReport.toHtml(report);
    Xml.parse(html);
    assertTrue(html.contains("Each cell sums 10 neighbouring classes."));
    assertTrue(html.length() < 2_000_000, "" + html.length());
  }

  @Test
  void aThousandEpochsStaySmall() {
    RunReportBuilder builder = RunReport.builder("long").tapNames(List.of("a", "b"));
    for (int e = 1; e <= 1000; e++) {
      builder.epoch(epoch(e, "ce", 1.0 / e));
      builder.tapSnapshot(new TapSnapshot(e, List.of(0.5, 0.1), OptionalDouble.of(0.5)));
    }
    String html = HtmlReport.toHtml(builder.build());
    Xml.parse(html);
    assertTrue(html.length() < 200_000, "" + html.length());
  }

  @Test
  void sameReportSameBytes(@TempDir Path folder) throws IOException {
    HtmlReport.write(SampleReports.full(), folder.resolve("a.html"));
    HtmlReport.write(SampleReports.full(), folder.resolve("b.html"));
    assertEquals(-1, Files.mismatch(folder.resolve("a.html"), folder.resolve("b.html")));
    RunReport other = RunReport.builder("other").build();
    assertNotEquals(HtmlReport.toHtml(other), HtmlReport.toHtml(SampleReports.full()));
    try (var files = Files.list(folder)) {
      assertEquals(2, files.count());
    }
  }
}
