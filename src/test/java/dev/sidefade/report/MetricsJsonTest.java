package dev.sidefade.report;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import com.google.gson.Strictness;
import com.google.gson.stream.JsonReader;
import dev.sidefade.report.RunReport.EpochRow;
import dev.sidefade.report.RunReport.Latency;
import java.io.IOException;
import java.io.StringReader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class MetricsJsonTest {
  private static JsonObject strictly(String json) {
    JsonReader reader = new JsonReader(new StringReader(json));
    reader.setStrictness(Strictness.STRICT);
    return JsonParser.parseReader(reader).getAsJsonObject();
  }

  private static JsonElement at(JsonObject json, String path) {
    JsonElement found = json;
    for (String name : path.split("\\.")) {
      assertTrue(found.getAsJsonObject().has(name), path);
      found = found.getAsJsonObject().get(name);
    }
    return found;
  }

  private static List<String> promised() {
    return List.of(
        "accuracy.val.linear_probe",
        "accuracy.val.side",
        "accuracy.val.faded",
        "accuracy.test.linear_probe",
        "accuracy.test.side",
        "accuracy.test.faded",
        "latency_ms.batch1.original",
        "latency_ms.batch1.faded",
        "latency_ms.batch1.kept",
        "latency_ms.batch32.original",
        "latency_ms.batch32.faded",
        "latency_ms.batch32.kept",
        "parameters.backbone",
        "parameters.tuned",
        "parameters.side",
        "memory_bytes.training_peak",
        "memory_bytes.taps",
        "seconds");
  }

  @Test
  void promisedNamesAreNumbersWhereMeasured() {
    JsonObject json = strictly(MetricsJson.toJson(SampleReports.full()));
    for (String path : promised()) {
      assertTrue(at(json, path).getAsJsonPrimitive().isNumber(), path);
    }
    assertEquals(0.931, at(json, "accuracy.test.faded").getAsDouble());
    assertEquals(14.9, at(json, "latency_ms.batch32.kept").getAsDouble());
    assertEquals(15.8, at(json, "latency_ms_range.batch32.kept.high").getAsDouble());
    assertEquals(7204, at(json, "file_bytes.delta").getAsLong());
    assertEquals(19_000_000, at(json, "memory_bytes.feature_cache").getAsLong());
    assertEquals(7, at(json, "seed").getAsLong());
    assertEquals("25.0.1", at(json, "versions.java").getAsString());
    assertEquals(32, at(json, "config.side.width").getAsInt());
    assertTrue(at(json, "config.val").isJsonNull());
    assertEquals(30, at(json, "history").getAsJsonArray().size());
    assertEquals(7, at(json, "ladder.taps").getAsJsonArray().size());
    assertEquals(10, at(json, "confusion_matrix.counts").getAsJsonArray().size());
  }

  @Test
  void promisedNamesAreNullWhereNotMeasured() {
    JsonObject json = strictly(MetricsJson.toJson(RunReport.builder("empty").build()));
    for (String path : promised()) {
      assertTrue(at(json, path).isJsonNull(), path);
    }
    assertTrue(at(json, "config").getAsJsonObject().isEmpty());
    assertTrue(at(json, "confusion_matrix").isJsonNull());
    assertTrue(at(json, "ladder").isJsonNull());
    assertTrue(at(json, "history").getAsJsonArray().isEmpty());
  }

  @Test
  void numbersThatAreNotFiniteAreNull() {
    Map<String, Object> config = new LinkedHashMap<>();
    config.put("lr", Double.NaN);
    config.put("float", Float.NEGATIVE_INFINITY);
    config.put("list", List.of(1.5, Double.POSITIVE_INFINITY));
    RunReport report =
        RunReport.builder("nan")
            .config(config)
            .accuracy(RunReport.TEST, RunReport.FADED, Double.NaN)
            .latency(RunReport.BATCH_1, RunReport.FADED, new Latency(1, Double.NaN, Double.NaN))
            .epoch(
                new EpochRow(
                    1,
                    Map.of("kl", Double.NaN),
                    OptionalDouble.of(Double.NaN),
                    OptionalDouble.empty(),
                    Double.POSITIVE_INFINITY,
                    1))
            .build();
    String text = MetricsJson.toJson(report);
    JsonObject json = strictly(text);
    assertFalse(text.contains("NaN") || text.contains("Infinity"), text);
    assertTrue(at(json, "accuracy.test.faded").isJsonNull());
    assertTrue(at(json, "latency_ms_range.batch1.faded.low").isJsonNull());
    assertTrue(at(json, "config.lr").isJsonNull());
    assertTrue(at(json, "config.list").getAsJsonArray().get(1).isJsonNull());
    JsonObject epoch = at(json, "history").getAsJsonArray().get(0).getAsJsonObject();
    assertTrue(at(epoch, "losses.kl").isJsonNull());
    assertTrue(at(epoch, "val_faded").isJsonNull());
  }

  @Test
  void configTakesWhatOptionsAreMadeOf() {
    Map<String, Object> config = new LinkedHashMap<>();
    config.put("path", Path.of("a", "b"));
    config.put("optional", Optional.of(3));
    config.put("none", OptionalDouble.empty());
    config.put("array", new double[] {1, 2});
    config.put("text", "tab\t\"quoted\" \uD800 \u2028 <b>");
    config.put("float", 0.1f);
    JsonObject json = strictly(MetricsJson.toJson(RunReport.builder("c").config(config).build()));
    assertEquals(Path.of("a", "b").toString(), at(json, "config.path").getAsString());
    assertEquals(3, at(json, "config.optional").getAsInt());
    assertTrue(at(json, "config.none").isJsonNull());
    assertEquals(2, at(json, "config.array").getAsJsonArray().get(1).getAsDouble());
    assertEquals("tab\t\"quoted\" \uFFFD \u2028 <b>", at(json, "config.text").getAsString());
    assertEquals("0.1", at(json, "config.float").getAsString());
  }

  @Test
  void furtherMeasurementsStandBesideThePromisedOnes() {
    RunReport report =
        RunReport.builder("more")
            .accuracy(RunReport.TEST, "norms_only", 0.5)
            .accuracy("train", RunReport.FADED, 0.75)
            .latency("batch8", RunReport.FADED, new Latency(2, 1, 3))
            .build();
    JsonObject json = strictly(MetricsJson.toJson(report));
    assertEquals(0.5, at(json, "accuracy.test.norms_only").getAsDouble());
    assertEquals(0.75, at(json, "accuracy.train.faded").getAsDouble());
    assertEquals(2, at(json, "latency_ms.batch8.faded").getAsDouble());
  }

  @Test
  void exportsAreListedInTheirOrder() {
    assertTrue(at(strictly(MetricsJson.toJson(SampleReports.full())), "exports").isJsonArray());
    RunReport.Export small =
        new RunReport.Export(
            "model.int8.onnx",
            "int8",
            18,
            "onnx",
            1_329_476,
            Map.of(RunReport.ACCURACY, Map.of(RunReport.VAL, 0.75, RunReport.TEST, Double.NaN)),
            Map.of(RunReport.BATCH_1, new Latency(0.5, 0.4, 0.75)));
    RunReport report =
        RunReport.builder("exports")
            .export(new RunReport.Export("model.ort", "fp32", 13, "ort", 7, Map.of(), Map.of()))
            .export(small)
            .build();
    JsonObject json = strictly(MetricsJson.toJson(report));
    JsonObject bare = json.getAsJsonArray("exports").get(0).getAsJsonObject();
    assertEquals("ort", at(bare, "format").getAsString());
    assertEquals(13, at(bare, "opset").getAsLong());
    assertTrue(at(bare, "latency_ms.batch32").isJsonNull());
    JsonObject export = json.getAsJsonArray("exports").get(1).getAsJsonObject();
    assertEquals("model.int8.onnx", at(export, "file").getAsString());
    assertEquals("int8", at(export, "precision").getAsString());
    assertEquals(1_329_476, at(export, "bytes").getAsLong());
    assertEquals(0.75, at(export, "accuracy.val").getAsDouble());
    assertTrue(at(export, "accuracy.test").isJsonNull());
    assertEquals(0.5, at(export, "latency_ms.batch1").getAsDouble());
    assertEquals(0.75, at(export, "latency_ms_range.batch1.high").getAsDouble());
    String html = HtmlReport.toHtml(report);
    for (String cell :
        List.of("Exported files", "model.int8.onnx", "75.0 %", "0.5 ms", "1.27 MiB")) {
      assertTrue(html.contains(cell), cell);
    }
    assertFalse(HtmlReport.toHtml(SampleReports.full()).contains("Exported files"));
  }

  @Test
  void sameReportSameBytes() {
    assertEquals(
        MetricsJson.toJson(SampleReports.full()), MetricsJson.toJson(SampleReports.full()));
  }

  @Test
  void mapsWithoutAnOrderAreSorted() {
    Map<String, Object> unordered = new HashMap<>();
    for (String name : Set.of("zeta", "alpha", "mid", "beta")) {
      unordered.put(name, Map.of("y", 1, "x", 2));
    }
    String json = MetricsJson.toJson(RunReport.builder("o").config(unordered).build());
    int previous = -1;
    for (String name : List.of("alpha", "beta", "mid", "zeta")) {
      assertTrue(json.indexOf(name) > previous, json);
      previous = json.indexOf(name);
    }
    assertTrue(json.indexOf("\"x\"") < json.indexOf("\"y\""), json);
  }

  @Test
  void rowsOfNumbersStayOnOneLine() {
    assertTrue(
        MetricsJson.toJson(SampleReports.full())
            .lines()
            .anyMatch(l -> l.matches(" *\\[[\\d,]+\\],")));
  }

  @Test
  void writesTheFileAndNothingElse(@TempDir Path folder) throws IOException {
    Path file = folder.resolve("metrics.json");
    Files.writeString(file, "before");
    MetricsJson.write(SampleReports.full(), file);
    assertEquals(MetricsJson.toJson(SampleReports.full()), Files.readString(file));
    try (var files = Files.list(folder)) {
      assertEquals(List.of(file), files.toList());
    }
  }

  @Test
  void aMissingFolderIsAnIoError(@TempDir Path folder) {
    Path file = folder.resolve("none").resolve("metrics.json");
    assertThrows(IOException.class, () -> MetricsJson.write(SampleReports.full(), file));
  }
}
