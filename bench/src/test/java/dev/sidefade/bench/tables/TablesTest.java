package dev.sidefade.bench.tables;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Tables from small results. That those of the documents are right is tested by the main build. */
class TablesTest {
  @TempDir Path folder;

  private List<String> table(String json, String marker) throws IOException {
    Files.writeString(folder.resolve("r.json"), json);
    return Tables.table(Block.parse(folder, "r.json " + marker));
  }

  private static String run(String settings, int seed, double faded, String side) {
    return "{\"data\":\"d\",\"config\":{%s,\"seed\":%d},\"accuracy\":{\"test\":{\"faded\":%s,\"side\":%s}}}"
        .formatted(settings, seed, faded, side);
  }

  private static final String RUNS =
      "{\"runs\":["
          + run("\"tune\":\"norms\",\"epochs\":4", 0, 0.5, "null")
          + ","
          + run("\"tune\":\"norms\",\"epochs\":4", 1, 0.6, "null")
          + ","
          + run("\"tune\":\"head\",\"epochs\":4", 0, 0.25, "0.75")
          + "]}";

  @Test
  void runsAreGroupedBySettingsThatDiffer() throws IOException {
    assertEquals(
        List.of(
            "| settings | seed 0 | seed 1 | mean |",
            "| --- | ---: | ---: | ---: |",
            "| tune norms | 50.0 | 60.0 | 55.0 |",
            "| tune head | 25.0 |  |  |",
            "| side network kept: tune head | 75.0 |  |  |"),
        table(RUNS, "inside-tuning data=d"));
  }

  private static String inference(String model, double median, String quotients) {
    return "{\"model\":\"%s\",\"batch\":8,\"threads\":2,\"median_ms\":%s,\"over_original\":%s}"
        .formatted(model, median, quotients);
  }

  @Test
  void quotientsOfInferenceHaveTheirInterval() throws IOException {
    String json =
        "["
            + String.join(
                ",",
                inference("original", 2, "[1,1,1]"),
                inference("again", 2, "[1,1,1]"),
                inference("faded", 2.25, "[1.0,1.1,1.21]"),
                inference("kept", 4.5, "[2,2,2]"))
            + "]";
    // logarithms 0, l, 2 l with l = ln 1.1: mean l, deviation l, t of 2 degrees 4.303 / sqrt 3
    assertEquals(
        List.of(
            "| 8 | 2 | 2.000 | 1.000 (1.000 to 1.000) | 2.250 | 1.100 (0.868 to 1.394) | 4.500 | 50"
                + " % |"),
        table(json, "inference").subList(2, 3));
  }

  @Test
  void rowsAreChosenByLinesOfTheMarker() throws IOException {
    assertEquals(
        List.of(
            "| what | seed 0 | seed 1 | mean |",
            "| --- | ---: | ---: | ---: |",
            "| **norms** | 50.0 | 60.0 | **55.0** |",
            "| kept | 75.0 |  |  |"),
        table(RUNS, "seeds what\ntune=norms | **norms**\ntune=head; model=side | kept\n"));
  }

  @Test
  void aChoiceThatIsNoneOrSeveralIsRefused() {
    assertTrue(
        assertThrows(TableException.class, () -> table(RUNS, "seeds x\nepochs=4 | all"))
            .getMessage()
            .contains("they differ in [tune]"));
    assertThrows(TableException.class, () -> table(RUNS, "seeds x\ntune=nothing | none"));
    assertThrows(TableException.class, () -> table(RUNS, "inside-tuning data=other"));
    assertThrows(TableException.class, () -> table(RUNS, "no-such-kind"));
    assertThrows(TableException.class, () -> Block.parse(folder, "inside-tuning"));
  }

  @Test
  void ratesAndTheShareOfTheCopyRate() throws IOException {
    String copy =
        "{\"benchmark\":\"b.CopyBenchmark.copy\",\"params\":{\"threads\":\"2\"},\"primaryMetric\":{\"score\":%s,\"scoreError\":\"NaN\"}}"
            .formatted(2.0 * Work.COPIED / 20e3);
    double bytes = Work.of("TokenBenchmark", "gelu", "A").bytes();
    String gelu =
        "{\"benchmark\":\"b.TokenBenchmark.gelu\",\"params\":{\"shape\":\"A\",\"threads\":\"2\"},\"primaryMetric\":{\"score\":%s,\"scoreError\":3},\"secondaryMetrics\":{\"x:gc.alloc.rate.norm\":{\"score\":7}}}"
            .formatted(bytes / 10e3);
    List<String> lines = table("[" + copy + "," + gelu + "]", "operations gelu");
    assertEquals(3, lines.size());
    assertEquals(
        "| gelu | A, threads 2 | " + Text.three(bytes / 10e3) + " | 3.00 |  | 10.0 | 50 % | 7.00 |",
        lines.getLast());
  }

  @Test
  void aComparisonShowsMeansAndDeviations() throws IOException {
    String json =
        """
        {"score":"accuracy","split":"test","variants":[{"name":"norms",
        "score":{"mean":0.9,"standard_deviation":0.01,"count":3},"side_score":null,
        "parameters":{"mean":100,"standard_deviation":0,"count":3},
        "memory_bytes":{"mean":1048576,"standard_deviation":0,"count":3},"seconds":null,
        "latency_ms_batch1":{"mean":1.234,"standard_deviation":0,"count":3}}]}
        """;
    assertEquals(
        "| norms | 90.0 ± 1.0 | 3 |  | 100 | 1.0 |  | 1.23 |  |", table(json, "compare").getLast());
  }

  @Test
  void theDemoShowsWhatItsMetricsSay() throws IOException {
    String json =
        """
        {"accuracy":{"test":{"linear_probe":0.5,"side":0.6,"faded":0.7}},
        "latency_ms":{"batch1":{"original":1,"kept":2,"faded":1.5},
        "batch32":{"original":10,"kept":20,"faded":15}},"parameters":{"backbone":1204397,"side":80880}}
        """;
    assertEquals(
        List.of(
            "| linear probe on the class token | 50.0 % | 1.00 ms | 10.0 ms | 1,204,397 |",
            "| side network kept | 60.0 % | 2.00 ms | 20.0 ms | 1,285,277 |",
            "| **faded** | **70.0 %** | **1.50 ms** | **15.0 ms** | 1,204,397 |"),
        table(json, "demo").subList(2, 5));
  }

  @Test
  void peersBesideSidefadeAndWholeStepsOverPasses() throws IOException {
    String operations =
        """
        {"results":[
        {"operation":"gelu","shape":"demo","way":"Sidefade","median_us":5},
        {"operation":"gelu","shape":"demo","way":"eager","median_us":7},
        {"operation":"gelu","shape":"demo","way":"graph","failed":"no GPU"},
        {"operation":"copy","shape":"8 MiB","way":"eager","median_us":123.4}]}
        """;
    assertEquals(
        List.of(
            "| operation | Sidefade, us | eager, us | ratio |",
            "| --- | ---: | ---: | ---: |",
            "| gelu, demo | 5.00 | 7.00 | 0.71 |",
            "| copy, 8 MiB |  | 123 |  |"),
        table(operations, "peer-operations"));
    String step =
        "{\"tuning\":\"norms\",\"way\":\"eager\",\"samples_ms\":%s,\"peak_memory_bytes\":1048576,\"tuned_values\":9}";
    assertEquals(
        "| norms, eager | 3.00 | 2.00 to 4.00 | 1.0 | 9 |",
        table(
                "{\"results\":[" + step.formatted("[5,1]") + "," + step.formatted("[2,3,4]") + "]}",
                "peer-steps")
            .getLast());
  }

  @Test
  void everyFuzzedParserHasARow() throws IOException {
    String parser =
        "{\"parser\":\"%s\",\"inputs\":10,\"read\":3,\"refused\":6,\"answered_wrongly\":1}";
    assertEquals(
        List.of("| idx | 10 | 3 | 6 | 1 |", "| onnx | 10 | 3 | 6 | 1 |"),
        table(
                "{\"parsers\":[" + parser.formatted("idx") + "," + parser.formatted("onnx") + "]}",
                "fuzz")
            .subList(2, 4));
    assertThrows(TableException.class, () -> table("{}", "fuzz"));
  }

  @Test
  void plotsAreXmlOfLinesAndBars() {
    List<String> bars =
        Svg.bars("a < b", " ms", List.of("x", "y"), Map.of("row", new double[] {2, Double.NaN}));
    assertTrue(bars.toString().contains("a &lt; b"));
    assertEquals(1, bars.stream().filter(line -> line.contains("class=\"c0\" x=\"190\"")).count());
    List<String> plot = Svg.plot("t", "x", "y", Map.of("one", Map.of(2, 10.0, 4, 20.0)));
    assertEquals(2, plot.stream().filter(line -> line.contains("<circle")).count());
    assertEquals("</svg>", plot.getLast());
  }
}
