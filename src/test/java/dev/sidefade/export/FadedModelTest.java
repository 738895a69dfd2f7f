package dev.sidefade.export;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.sidefade.backbone.Backbone;
import dev.sidefade.backbone.BackboneStructure;
import dev.sidefade.backbone.Head;
import dev.sidefade.backbone.ReadOut;
import dev.sidefade.kernels.Pooling;
import dev.sidefade.onnx.ElementType;
import dev.sidefade.onnx.GraphEdit;
import dev.sidefade.onnx.Initializer;
import dev.sidefade.onnx.OnnxModel;
import dev.sidefade.onnx.OnnxNode;
import dev.sidefade.onnx.ValueInfo;
import dev.sidefade.tensor.BadInputException;
import dev.sidefade.tensor.Tensor;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * A faded model computes what training computed, and is the backbone's graph wherever that is
 * possible.
 */
class FadedModelTest {
  private static final int EXAMPLES = 6;

  @TempDir Path folder;

  private static Stream<String> names() {
    return Fixtures.imagesAndTexts();
  }

  @ParameterizedTest
  @MethodSource("names")
  void computesWhatTrainingComputed(String name) throws IOException {
    try (Backbone backbone = Backbone.load(Fixtures.model(name))) {
      for (Pooling pooling : Pooling.values()) {
        if (pooling != Pooling.TOKENS || !backbone.takesImages()) {
          verify(backbone, pooling, true, name);
        }
      }
      verify(backbone, Pooling.CLS, false, name);
    }
  }

  @Test
  void theShippedBackboneComputesWhatTrainingComputed() throws IOException {
    for (Pooling pooling : Pooling.values()) {
      try (Backbone backbone = Backbone.load(Fixtures.demo())) {
        verify(backbone, pooling, true, "demo");
      }
    }
  }

  @Test
  void aBackboneThatPoolsFirstKeepsItsReadOut() throws IOException {
    try (Backbone backbone = Backbone.load(Fixtures.model("vit_timm_avg_fcnorm_dynamo20"))) {
      verify(backbone, Pooling.MEAN, true, "fc_norm");
      for (Pooling other : List.of(Pooling.CLS, Pooling.CLS_MEAN, Pooling.TOKENS)) {
        try (TrainedTail trained = new TrainedTail(backbone, other, 3, true, 1)) {
          BadInputException refused =
              assertThrows(
                  BadInputException.class,
                  () -> FadedModel.build(backbone, trained.tuned(), Cards.of(backbone)));
          assertTrue(refused.getMessage().contains("use the read-out mean"), refused.getMessage());
        }
      }
    }
  }

  private void verify(Backbone backbone, Pooling pooling, boolean withNorm, String name)
      throws IOException {
    Path target = folder.resolve("model.onnx");
    try (Arena arena = Arena.ofConfined();
        TrainedTail trained = new TrainedTail(backbone, pooling, 3, withNorm, 5)) {
      Map<String, Tensor> inputs = Fixtures.inputs(backbone, EXAMPLES, 11, arena);
      Tensor logits = trained.logits(inputs, EXAMPLES, arena);
      OnnxModel before = backbone.model().copy();
      OnnxModel faded = FadedModel.build(backbone, trained.tuned(), Cards.of(backbone));
      double largest = Export.writeVerified(faded, target, new Verification(inputs, logits));
      assertTrue(largest < 1e-4, name + " " + pooling + ": " + largest);
      assertArrayEquals(before.toBytes(), backbone.model().toBytes(), name + " was edited");
      OnnxModel read = OnnxModel.read(target);
      assertEquals(1, read.graph().outputs().size());
      ValueInfo output = read.graph().outputs().getFirst();
      assertEquals(pooling == Pooling.TOKENS ? 3 : 2, output.dims().size(), name);
      assertEquals("Static[size=3]", output.dims().getLast().toString(), name);
      read.graph().nodes().forEach(FadedModelTest::assertNotOfSide);
      assertEquals(Cards.of(backbone), ModelCard.read(read).orElseThrow());
      assertEquals(backbone.model().opset(), read.opset());
    }
  }

  @ParameterizedTest
  @MethodSource("names")
  void onlyConstantsChangeWhereTheReadOutIsItsOwn(String name) throws IOException {
    try (Backbone backbone = Backbone.load(Fixtures.model(name))) {
      Optional<Pooling> own = ownPooling(backbone.structure());
      if (own.isEmpty()) {
        return;
      }
      for (boolean withNorm : new boolean[] {true, false}) {
        try (TrainedTail trained = new TrainedTail(backbone, own.get(), 3, withNorm, 2)) {
          OnnxModel faded = FadedModel.build(backbone, trained.tuned(), Cards.of(backbone));
          List<String> nodes =
              backbone.model().graph().nodes().stream().map(OnnxNode::toString).toList();
          assertEquals(
              nodes, faded.graph().nodes().stream().map(OnnxNode::toString).toList(), name);
          assertEquals(
              backbone.model().graph().outputs().getFirst().name(),
              faded.graph().outputs().getFirst().name());
          assertEquals(withNorm ? 4 : 2, changedConstants(backbone.model(), faded), name);
        }
      }
    }
  }

  /** Inputs of nodes that hold another constant than before. */
  private static int changedConstants(OnnxModel before, OnnxModel after) {
    int changed = 0;
    for (int n = 0; n < before.graph().nodes().size(); n++) {
      OnnxNode old = before.graph().nodes().get(n);
      OnnxNode now = after.graph().nodes().get(n);
      for (int i = 0; i < old.inputs().size() && !old.is("Identity"); i++) {
        float[] values = constant(before, old.input(i));
        if (values != null && !Arrays.equals(values, constant(after, now.input(i)))) {
          changed++;
        }
      }
    }
    return changed;
  }

  private static float[] constant(OnnxModel model, String value) {
    return GraphEdit.constantValue(model.graph(), value)
        .filter(constant -> constant.type() == ElementType.FLOAT)
        .map(Initializer::floats)
        .orElse(null);
  }

  @ParameterizedTest
  @MethodSource("names")
  void theSameConstantsGiveTheSameBits(String name) throws IOException {
    try (Backbone backbone = Backbone.load(Fixtures.model(name));
        Arena arena = Arena.ofConfined()) {
      Optional<Pooling> own = ownPooling(backbone.structure());
      if (own.isEmpty()) {
        return;
      }
      OnnxModel faded =
          FadedModel.build(
              backbone, TunedModel.of(unchanged(backbone, own.get())), Cards.of(backbone));
      Path target = folder.resolve("same.onnx");
      Export.write(faded, target);
      String output = backbone.model().graph().outputs().getFirst().name();
      Map<String, Tensor> inputs = Fixtures.inputs(backbone, 3, 4, arena);
      try (OrtModel.Inputs fed = OrtModel.inputs(inputs);
          OrtModel original = OrtModel.open(backbone.file(), 1);
          OrtModel copy = OrtModel.open(target, 1)) {
        assertArrayEquals(original.output(fed, output), copy.output(fed, output), name);
      }
    }
  }

  private static TunedTail unchanged(Backbone backbone, Pooling pooling) {
    Head head = backbone.structure().head().orElseThrow();
    float[] stored = backbone.constant(head.weight());
    int classes = (int) head.classes();
    int width = (int) head.width();
    float[] weight = new float[stored.length];
    for (int i = 0; i < width; i++) {
      for (int c = 0; c < classes; c++) {
        weight[i * classes + c] = stored[head.transposed() ? c * width + i : i * classes + c];
      }
    }
    return new TunedTail(
        pooling,
        Optional.of(backbone.finalNormScale()),
        Optional.of(backbone.finalNormBias()),
        weight,
        head.bias().map(backbone::constant).orElseGet(() -> new float[classes]),
        classes);
  }

  private static Optional<Pooling> ownPooling(BackboneStructure structure) {
    if (structure.head().isEmpty()) {
      return Optional.empty();
    }
    return switch (structure.readOut().kind()) {
      case ReadOut.Kind.CLS -> Optional.of(Pooling.CLS);
      case ReadOut.Kind.MEAN -> Optional.of(Pooling.MEAN);
      default -> Optional.empty();
    };
  }

  @Test
  void outputsKeepTheirNames() throws IOException {
    assertOutput("deit_distilled_legacy17", Pooling.CLS_MEAN, true);
    assertOutput("vit_timm_dynamo20", Pooling.CLS_MEAN, true);
    assertOutput("bert_legacy17", Pooling.MEAN, true);
    // they return tokens, and a vector that is no logits
    assertOutput("vit_hf_model_legacy17", Pooling.MEAN, false);
    assertOutput("bert_model_legacy14", Pooling.CLS, false);
  }

  private static void assertOutput(String name, Pooling pooling, boolean own) throws IOException {
    try (Backbone backbone = Backbone.load(Fixtures.model(name));
        TrainedTail trained = new TrainedTail(backbone, pooling, 3, true, 2)) {
      OnnxModel faded = FadedModel.build(backbone, trained.tuned(), Cards.of(backbone));
      String expected = own ? backbone.model().graph().outputs().getFirst().name() : "logits";
      assertEquals(expected, faded.graph().outputs().getFirst().name(), name);
    }
  }

  @Test
  void aFadedModelIsABackboneAgain() throws IOException {
    for (Pooling first : Pooling.values()) {
      for (Pooling second : Pooling.values()) {
        Path once = folder.resolve("once.onnx");
        try (Backbone backbone = Backbone.load(Fixtures.model("vit_timm_legacy17"));
            TrainedTail trained = new TrainedTail(backbone, first, 4, true, 2)) {
          Export.write(FadedModel.build(backbone, trained.tuned(), Cards.of(backbone)), once);
        }
        try (Backbone backbone = Backbone.load(once)) {
          verify(backbone, second, true, first + " then " + second);
        }
      }
    }
  }

  @Test
  void theSameTailGivesTheSameBytes() throws IOException {
    for (String name : List.of("vit_hf_dynamo20", "vit_timm_external_dynamo20")) {
      byte[][] files = new byte[2][];
      for (int i = 0; i < 2; i++) {
        Path target = folder.resolve("run" + i).resolve("model.onnx");
        Files.createDirectories(target.getParent());
        try (Backbone backbone = Backbone.load(Fixtures.model(name));
            TrainedTail trained = new TrainedTail(backbone, Pooling.CLS_MEAN, 4, true, 2)) {
          Export.write(FadedModel.build(backbone, trained.tuned(), Cards.of(backbone)), target);
        }
        files[i] = Files.readAllBytes(target);
      }
      assertArrayEquals(files[0], files[1]);
    }
  }

  @Test
  void aTailOfAnotherBackboneIsRefused() throws IOException {
    try (Backbone backbone = Backbone.load(Fixtures.model("vit_timm_dynamo20"))) {
      int width = backbone.finalNormScale().length + 4;
      TunedModel other =
          TunedModel.of(TunedTail.head(Pooling.CLS, new float[2 * width], new float[2]));
      String message =
          assertThrows(
                  BadInputException.class,
                  () -> FadedModel.build(backbone, other, Cards.of(backbone)))
              .getMessage();
      assertTrue(message.contains(String.valueOf(width)), message);
    }
  }

  private static void assertNotOfSide(OnnxNode node) {
    assertFalse(node.toString().contains("sidefade.side"), node.toString());
    node.inputs().forEach(input -> assertFalse(input.startsWith("sidefade.side"), input));
  }
}
