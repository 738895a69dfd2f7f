package dev.sidefade.export;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import dev.sidefade.backbone.Backbone;
import dev.sidefade.kernels.Pooling;
import dev.sidefade.onnx.OnnxModel;
import dev.sidefade.tensor.BadInputException;
import dev.sidefade.tensor.Tensor;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Which files are written beside a model, and that they are what they say. */
class ExportPlanTest {
  private static final List<Precision> ALL = List.of(Precision.values());

  @TempDir Path folder;

  private static List<String> names(ExportPlan plan) {
    return plan.variants().stream()
        .map(variant -> variant.beside(Path.of("out", "vit.onnx")))
        .peek(path -> assertEquals(Path.of("out"), path.getParent()))
        .map(path -> path.getFileName().toString())
        .toList();
  }

  @Test
  void namesSayWhatDiffers() {
    assertEquals(List.of(), names(ExportPlan.PLAIN));
    assertEquals(
        List.of("vit.fp16.onnx", "vit.int8.onnx"),
        names(new ExportPlan(ALL, Optional.empty(), false)));
    assertEquals(
        List.of("vit.opset13.onnx"),
        names(new ExportPlan(List.of(Precision.FP32), Optional.of(13), false)));
    assertEquals(
        List.of("vit.int8.opset14.onnx", "vit.int8.opset14.ort"),
        names(new ExportPlan(List.of(Precision.INT8), Optional.of(14), true)));
    assertEquals(
        List.of("vit.ort", "vit.fp16.onnx", "vit.int8.onnx", "vit.int8.ort"),
        names(new ExportPlan(ALL, Optional.empty(), true)));
    ExportVariant half = new ExportVariant(Precision.FP16, Optional.empty(), false);
    assertEquals(Path.of("m.fp16.onnx"), half.beside(Path.of("m")));
  }

  @Test
  void plansThatMeanNothingAreRefused() {
    assertThrows(BadInputException.class, () -> new ExportPlan(List.of(), Optional.empty(), false));
    assertThrows(
        BadInputException.class,
        () -> new ExportPlan(List.of(Precision.FP16, Precision.FP16), Optional.empty(), false));
    assertThrows(BadInputException.class, () -> new ExportPlan(ALL, Optional.of(12), false));
    assertThrows(
        BadInputException.class,
        () -> new ExportPlan(List.of(Precision.FP16), Optional.empty(), true));
  }

  @Test
  void anOpsetWithoutQuantizedProductsIsRefused() {
    ExportPlan plan = new ExportPlan(ALL, Optional.empty(), false);
    BadInputException e =
        assertThrows(BadInputException.class, () -> plan.check(OnnxModel.create(8, 10)));
    assertTrue(e.getMessage().contains("opset 10"), e.getMessage());
    plan.check(OnnxModel.create(8, 11));
  }

  /** Every variant of an image model, a text model and one with external data. */
  @ParameterizedTest
  @ValueSource(strings = {"vit_timm_dynamo20", "bert_legacy17", "vit_timm_external_dynamo20"})
  void everyVariantAnswersAndKeepsItsCard(String name) throws IOException {
    try (Backbone backbone = Backbone.load(Fixtures.model(name));
        TrainedTail trained = new TrainedTail(backbone, Pooling.CLS, 3, true, 8);
        Arena arena = Arena.ofConfined()) {
      Map<String, Tensor> inputs = Fixtures.inputs(backbone, 6, 6, arena);
      Verification examples = new Verification(inputs, trained.logits(inputs, 6, arena));
      OnnxModel model = FadedModel.build(backbone, trained.tuned(), Cards.of(backbone));
      byte[] before = model.toBytes();
      ExportPlan plan = new ExportPlan(ALL, Optional.of(13), true);
      Map<ExportVariant, Path> files =
          plan.write(model, folder.resolve("model.onnx"), Optional.of(examples));
      assertArrayEquals(before, model.toBytes());
      assertEquals(5, files.size());
      assertFalse(Files.exists(folder.resolve("model.onnx")));
      for (Map.Entry<ExportVariant, Path> file : files.entrySet()) {
        if (!file.getKey().ort()) {
          OnnxModel read = OnnxModel.read(file.getValue());
          assertEquals(Cards.of(backbone), ModelCard.read(read).orElseThrow());
          assertEquals(13, read.opset());
          assertEquals(model.graph().outputs().toString(), read.graph().outputs().toString());
          assertEquals(
              file.getKey().precision() == Precision.FP32 ? null : file.getKey().precision().text(),
              read.metadata().get(ExportVariant.PRECISION));
        }
      }
      try (Stream<Path> left = Files.list(folder)) {
        assertTrue(left.noneMatch(path -> path.getFileName().toString().startsWith(".")));
      }
    }
  }

  /** ONNX Runtime's format keeps what the model says about itself, and its answers. */
  @Test
  void theOtherFormatIsTheSameModel() throws IOException, OrtException {
    try (Backbone backbone = Backbone.load(Fixtures.model("vit_timm_legacy17"));
        TrainedTail trained = new TrainedTail(backbone, Pooling.CLS, 3, true, 8);
        Arena arena = Arena.ofConfined()) {
      Map<String, Tensor> inputs = Fixtures.inputs(backbone, 2, 6, arena);
      OnnxModel model = FadedModel.build(backbone, trained.tuned(), Cards.of(backbone));
      Path onnx = folder.resolve("m.onnx");
      Export.write(model, onnx);
      Path ort =
          new ExportPlan(List.of(Precision.FP32), Optional.empty(), true)
              .write(model, onnx, Optional.empty())
              .values()
              .iterator()
              .next();
      byte[] head = Files.readAllBytes(ort);
      assertEquals("ORTM", new String(head, 4, 4, StandardCharsets.US_ASCII));
      String output = model.graph().outputs().getFirst().name();
      try (OrtModel one = OrtModel.open(onnx, 1);
          OrtModel other = OrtModel.open(ort, 1);
          OrtModel.Inputs fed = OrtModel.inputs(inputs)) {
        assertEquals(output, other.firstOutput());
        assertEquals(metadata(onnx), metadata(ort));
        assertEquals(model.metadata(), metadata(ort));
        Differences.assertClose(one.output(fed, output), other.output(fed, output), 1e-6, "ort");
      }
    }
  }

  private static Map<String, String> metadata(Path file) throws OrtException {
    try (OrtSession session = OrtEnvironment.getEnvironment().createSession(file.toString())) {
      return session.getMetadata().getCustomMetadata();
    }
  }

  /** A variant whose logits are off is not written. */
  @Test
  void wrongAnswersAreNotWritten() throws IOException {
    try (Backbone backbone = Backbone.load(Fixtures.model("vit_timm_dynamo20"));
        TrainedTail trained = new TrainedTail(backbone, Pooling.CLS, 3, true, 8);
        Arena arena = Arena.ofConfined()) {
      Map<String, Tensor> inputs = Fixtures.inputs(backbone, 3, 6, arena);
      Tensor logits = trained.logits(inputs, 3, arena);
      logits.set(4, logits.get(4) + 1);
      OnnxModel model = FadedModel.build(backbone, trained.tuned(), Cards.of(backbone));
      for (ExportPlan plan :
          List.of(
              new ExportPlan(List.of(Precision.FP16), Optional.empty(), false),
              new ExportPlan(List.of(Precision.FP32), Optional.of(13), false),
              new ExportPlan(List.of(Precision.FP32), Optional.empty(), true))) {
        Optional<Verification> examples = Optional.of(new Verification(inputs, logits));
        assertThrows(
            IllegalStateException.class,
            () -> plan.write(model, folder.resolve("m.onnx"), examples));
      }
      try (Stream<Path> files = Files.list(folder)) {
        assertEquals(List.of(), files.toList());
      }
    }
  }
}
