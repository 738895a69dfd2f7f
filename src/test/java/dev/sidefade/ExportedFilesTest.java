package dev.sidefade;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import dev.sidefade.backbone.Backbone;
import dev.sidefade.distill.Direction;
import dev.sidefade.export.Delta;
import dev.sidefade.export.ExportPlan;
import dev.sidefade.export.ExportedModel;
import dev.sidefade.export.Precision;
import dev.sidefade.kernels.Pooling;
import dev.sidefade.onnx.OnnxModel;
import dev.sidefade.report.RunReport;
import dev.sidefade.tensor.BadInputException;
import dev.sidefade.tensor.DType;
import dev.sidefade.tensor.Shape;
import dev.sidefade.tensor.Tensor;
import dev.sidefade.train.ExampleSet;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The shipped backbone adapted to its digits, and exported in every way. */
class ExportedFilesTest {
  private static final List<Precision> ALL = List.of(Precision.values());

  @TempDir static Path shared;
  private static DemoFiles demo;
  private static AdaptResult plain;
  private static AdaptResult exported;

  @TempDir Path folder;

  @BeforeAll
  static void adaptTwice() throws IOException {
    demo = new DemoFiles(Files.createDirectory(shared.resolve("data")));
    plain = quick(config(shared.resolve("plain")).build());
    exported = quick(config(shared.resolve("exported")).precision(ALL).opset(13).ort(true).build());
  }

  /** One epoch without a side network. */
  private static AdaptConfig.Builder config(Path out) {
    return AdaptConfig.builder()
        .backbone(demo.backbone())
        .train(demo.images("labelled"))
        .validation(demo.images("val"))
        .test(demo.images("val"))
        .out(out)
        .readout(Pooling.CLS_MEAN)
        .tune(Tune.FINAL_NORM)
        .side(SideKind.NONE)
        .logits(Direction.OFF)
        .epochs(2)
        .batch(16)
        .threads(2);
  }

  private static AdaptResult quick(AdaptConfig config) throws IOException {
    return Sidefade.adapt(config, ProgressListener.SILENT, Duration.ZERO);
  }

  private static Path file(String name) {
    return exported.metrics().resolveSibling(name);
  }

  private static List<String> names() {
    return exported.report().exports().stream().map(RunReport.Export::file).toList();
  }

  @Test
  void exportsChangeNothingElse() throws IOException {
    for (String name : List.of("model.onnx", "delta.safetensors")) {
      assertArrayEquals(
          Files.readAllBytes(plain.metrics().resolveSibling(name)),
          Files.readAllBytes(file(name)),
          name);
    }
    assertEquals(List.of(), plain.report().exports());
    JsonObject metrics =
        JsonParser.parseString(Files.readString(plain.metrics())).getAsJsonObject();
    assertEquals(new JsonArray(), metrics.get("exports"));
    assertFalse(Files.readString(plain.html()).contains("Exported files"));
    try (Stream<Path> files = Files.list(plain.metrics().getParent())) {
      assertEquals(5, files.count());
    }
  }

  @Test
  void everyFileIsThereAndMeasured() throws IOException {
    assertEquals(
        List.of(
            "model.onnx",
            "model.opset13.onnx",
            "model.opset13.ort",
            "model.fp16.opset13.onnx",
            "model.int8.opset13.onnx",
            "model.int8.opset13.ort"),
        names());
    JsonObject metrics =
        JsonParser.parseString(Files.readString(exported.metrics())).getAsJsonObject();
    JsonArray exports = metrics.getAsJsonArray("exports");
    double trained =
        metrics.getAsJsonObject("accuracy").getAsJsonObject("test").get("faded").getAsDouble();
    assertEquals(names().size(), exports.size());
    String html = Files.readString(exported.html());
    assertTrue(html.contains("Exported files"));
    for (JsonElement element : exports) {
      JsonObject export = element.getAsJsonObject();
      String name = export.get("file").getAsString();
      assertEquals(Files.size(file(name)), export.get("bytes").getAsLong(), name);
      assertEquals(name.equals("model.onnx") ? 18 : 13, export.get("opset").getAsLong(), name);
      assertEquals(name.endsWith(".ort") ? "ort" : "onnx", export.get("format").getAsString());
      double accuracy = export.getAsJsonObject("accuracy").get("test").getAsDouble();
      boolean eightBits = export.get("precision").getAsString().equals("int8");
      assertEquals(trained, accuracy, eightBits ? 0.02 : 0.002, name);
      assertTrue(export.getAsJsonObject("latency_ms").get("batch1").isJsonNull(), name);
      assertTrue(html.contains(name), name);
    }
    JsonObject first = exports.get(0).getAsJsonObject();
    assertEquals(trained, first.getAsJsonObject("accuracy").get("test").getAsDouble());
  }

  /** Not only as many answers are right: they are the same. */
  @Test
  void allFilesGiveTheSameAnswers() throws IOException {
    AdaptConfig config = config(folder.resolve("unused")).build();
    try (Backbone backbone = Backbone.load(demo.backbone());
        AdaptationData data =
            ImageData.open(
                config,
                ImageData.preprocessing(config, backbone.preprocessing()),
                backbone.inputName());
        ExportedModel plainModel = ExportedModel.open(file("model.onnx"), 2)) {
      for (String name : names()) {
        try (ExportedModel model = ExportedModel.open(file(name), 2);
            ExampleSet.Loader loader =
                data.validation().load(0, IntStream.range(0, 200).toArray(), 50)) {
          int same = 0;
          for (int done = 0; done < 200; done += 50) {
            ExampleSet.Loaded batch = loader.next();
            int[] wanted = answers(plainModel, batch);
            int[] found = answers(model, batch);
            same += (int) IntStream.range(0, 50).filter(i -> wanted[i] == found[i]).count();
          }
          assertTrue(same >= (name.contains("int8") ? 196 : 200), name + ": " + same);
        }
      }
    }
  }

  private static int[] answers(ExportedModel model, ExampleSet.Loaded batch) {
    int rows = batch.examples().length;
    try (Arena arena = Arena.ofConfined()) {
      Tensor logits = Tensor.wrap(arena.allocate(40L * rows, 64), Shape.of(rows, 10), DType.F32);
      model.run(batch.inputs(), logits);
      return IntStream.range(0, rows)
          .map(row ->
              IntStream.range(0, 10)
                  .reduce(0, (a, b) -> logits.get(row * 10 + b) > logits.get(row * 10 + a) ? b : a))
          .toArray();
    }
  }

  @Test
  void smallerFilesAreSmaller() throws IOException {
    long full = Files.size(file("model.onnx"));
    assertTrue(Files.size(file("model.fp16.opset13.onnx")) < 0.55 * full);
    assertTrue(Files.size(file("model.int8.opset13.onnx")) < 0.35 * full);
    assertTrue(Files.size(file("model.int8.opset13.ort")) < 0.35 * full);
  }

  /** Users open every file in ONNX's format as they open model.onnx. */
  @Test
  void thePredictorTakesThem() throws IOException {
    for (RunReport.Export export : exported.report().exports()) {
      if (export.format().equals("onnx")) {
        OnnxModel model = OnnxModel.read(file(export.file()));
        assertEquals(export.opset(), model.opset(), export.file());
        try (Predictor predictor = Predictor.open(file(export.file()), 1)) {
          double accuracy = predictor.evaluate(demo.images("val"), true).accuracy();
          double measured = export.measures().get(RunReport.ACCURACY).get(RunReport.VAL);
          // 8-bit activations are rounded by batch, and these batches are others
          assertEquals(measured, accuracy, export.precision().equals("int8") ? 0.02 : 0);
        }
      }
    }
  }

  @Test
  void deltaAndBaseMakeTheSameFiles() throws IOException {
    Path out = folder.resolve("model.onnx");
    ExportPlan plan = new ExportPlan(ALL, Optional.of(13), true);
    List<Path> further = Delta.apply(demo.backbone(), exported.delta().orElseThrow(), out, plan);
    List<Path> all = new ArrayList<>(List.of(out));
    all.addAll(further);
    assertEquals(names(), all.stream().map(made -> made.getFileName().toString()).toList());
    for (Path made : all) {
      Path expected = file(made.getFileName().toString());
      if (made.toString().endsWith(".ort")) {
        // ONNX Runtime writes its list of operators in any order, and aligns what follows
        assertTrue(Math.abs(Files.size(expected) - Files.size(made)) < 4096, made.toString());
      } else {
        assertArrayEquals(Files.readAllBytes(expected), Files.readAllBytes(made), made.toString());
      }
    }
  }

  /** A finished run can be exported once more without training again; models take turns. */
  @Test
  void exportsCanBeAddedByResuming() throws IOException {
    Path out = folder.resolve("out");
    quick(config(out).build());
    List<String> phases = new ArrayList<>();
    AdaptResult again =
        Sidefade.adapt(
            config(out).resume(true).precision(List.of(Precision.INT8)).build(),
            new ProgressListener() {
              @Override
              public void phase(String name, long steps) {
                phases.add(name);
              }
            },
            Duration.ofMillis(1));
    assertArrayEquals(
        Files.readAllBytes(plain.model().orElseThrow()),
        Files.readAllBytes(again.model().orElseThrow()));
    assertEquals(2, again.report().exports().size());
    assertTrue(Files.exists(out.resolve("model.int8.onnx")));
    assertTrue(phases.contains("answers of the exported files"), phases.toString());
    for (String batch : List.of(RunReport.BATCH_1, RunReport.BATCH_32)) {
      RunReport.Export first = again.report().exports().getFirst();
      assertEquals(
          again.report().latency(batch, RunReport.FADED).orElseThrow(),
          first.latencyMs().get(batch));
      assertTrue(again.report().exports().getLast().latencyMs().get(batch).median() > 0);
      assertEquals(
          Set.of(RunReport.ORIGINAL, RunReport.FADED),
          again.report().latencyMs().get(batch).keySet());
    }
  }

  /** Words and numbers are measured as their tasks are. */
  @Test
  void textsAreMeasuredToo() throws IOException {
    TextFiles files = new TextFiles(Files.createDirectory(folder.resolve("texts")));
    Map<TaskKind, Set<String>> measures =
        Map.of(
            TaskKind.TOKENS, Set.of(RunReport.ACCURACY, RunReport.F1),
            TaskKind.REGRESSION, Set.of(RunReport.SPEARMAN, RunReport.PEARSON, RunReport.MSE));
    for (Map.Entry<TaskKind, Set<String>> task : measures.entrySet()) {
      boolean words = task.getKey() == TaskKind.TOKENS;
      AdaptResult result =
          quick(
              files
                  .config(
                      task.getKey(),
                      words ? "roberta_legacy17" : "minilm_legacy11",
                      words ? files.names(40, 20) : files.grades(40, 20),
                      folder.resolve("out" + words))
                  .epochs(1)
                  .precision(ALL)
                  .build());
      assertEquals(3, result.report().exports().size());
      for (RunReport.Export export : result.report().exports()) {
        assertEquals(task.getValue(), export.measures().keySet());
        for (String measure : task.getValue()) {
          double trained =
              result.report().measure(measure, RunReport.TEST, RunReport.FADED).orElseThrow();
          double tolerance = export.precision().equals("int8") ? 0.2 : 0.02;
          assertEquals(
              trained,
              export.measures().get(measure).get(RunReport.TEST),
              export.precision().equals("fp32") ? 1e-5 : tolerance * Math.max(1, trained),
              export.file() + " " + measure);
        }
      }
    }
  }

  @Test
  void whatCannotBeExportedIsRefusedBeforeTraining() {
    refused(config(folder.resolve("a")).opset(12), "opset 13 or later");
    refused(config(folder.resolve("a")).opset(19), "an opset can only go down");
    refused(config(folder.resolve("a")).precision(List.of()), "at least one");
    refused(
        config(folder.resolve("a")).precision(List.of(Precision.INT8, Precision.INT8)),
        "each once");
    refused(config(folder.resolve("a")).precision(List.of(Precision.FP16)).ort(true), "16-bit");
    refused(config(folder.resolve("a")).tune(Tune.NONE).ort(true), "no model to export");
    assertFalse(Files.exists(folder.resolve("a")));
  }

  private static void refused(AdaptConfig.Builder config, String mentions) {
    BadInputException e = assertThrows(BadInputException.class, () -> quick(config.build()));
    assertTrue(e.getMessage().contains(mentions), e.getMessage());
  }
}
