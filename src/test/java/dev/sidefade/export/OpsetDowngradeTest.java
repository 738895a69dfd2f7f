package dev.sidefade.export;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.sidefade.backbone.Backbone;
import dev.sidefade.onnx.Attribute;
import dev.sidefade.onnx.ElementType;
import dev.sidefade.onnx.Initializer;
import dev.sidefade.onnx.OnnxGraph;
import dev.sidefade.onnx.OnnxModel;
import dev.sidefade.onnx.OnnxNode;
import dev.sidefade.tensor.BadInputException;
import dev.sidefade.tensor.DType;
import dev.sidefade.tensor.Tensor;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The same model in older operators. */
class OpsetDowngradeTest {
  @TempDir Path folder;

  static Stream<String> names() {
    return Stream.concat(
        Fixtures.imagesAndTexts().filter(name -> !name.endsWith("legacy11")),
        Stream.of("vit_timm_avg_fcnorm_dynamo20", "bert_dynamo18", "roberta_legacy17"));
  }

  @ParameterizedTest
  @MethodSource("names")
  void everyBackboneAnswersTheSame(String name) throws IOException {
    OnnxModel model = OnnxModel.read(Fixtures.model(name));
    byte[] before = model.toBytes();
    OnnxModel older = OpsetDowngrade.of(model, 13);
    assertArrayEquals(before, model.toBytes(), "it was edited");
    assertArrayEquals(older.toBytes(), OpsetDowngrade.of(model, 13).toBytes());
    assertEquals(13, older.opset());
    assertEquals(model.graph().inputs().toString(), older.graph().inputs().toString());
    assertEquals(model.graph().outputs().toString(), older.graph().outputs().toString());
    Set<String> operators =
        older.graph().nodes().stream().map(OnnxNode::opType).collect(Collectors.toSet());
    assertFalse(operators.contains("LayerNormalization") || operators.contains("Gelu"), name);
    try (Backbone backbone = Backbone.load(Fixtures.model(name));
        Arena arena = Arena.ofConfined()) {
      Path file = folder.resolve("older.onnx");
      Export.write(older, file);
      String output = model.graph().outputs().getFirst().name();
      try (OrtModel.Inputs fed = OrtModel.inputs(Fixtures.inputs(backbone, 3, 7, arena));
          OrtModel original = OrtModel.open(backbone.file(), 1);
          OrtModel converted = OrtModel.open(file, 1)) {
        Differences.assertClose(
            original.output(fed, output), converted.output(fed, output), 5e-6, name);
      }
    }
  }

  /** What is written out is found again: the result is a backbone like the original. */
  @ParameterizedTest
  @ValueSource(strings = {"vit_timm_dynamo20", "bert_dynamo20"})
  void theResultIsABackbone(String name) throws IOException {
    Path file = folder.resolve("older.onnx");
    Export.write(OpsetDowngrade.of(OnnxModel.read(Fixtures.model(name)), 13), file);
    try (Backbone original = Backbone.load(Fixtures.model(name));
        Backbone older = Backbone.load(file)) {
      assertEquals(original.structure().blocks(), older.structure().blocks());
      assertArrayEquals(original.finalNormScale(), older.finalNormScale());
      assertArrayEquals(original.finalNormBias(), older.finalNormBias());
      assertEquals(original.finalNormEpsilon(), older.finalNormEpsilon());
    }
  }

  @Test
  void theOwnOpsetChangesNothing() throws IOException {
    for (String name : List.of("vit_timm_dynamo20", "vit_timm_legacy14", "minilm_legacy14")) {
      OnnxModel model = OnnxModel.read(Fixtures.model(name));
      assertArrayEquals(model.toBytes(), OpsetDowngrade.of(model, model.opset()).toBytes());
    }
  }

  @ParameterizedTest
  @CsvSource({"20,21", "20,12", "11,13", "11,11"})
  void otherOpsetsAreRefused(long from, long to) {
    OnnxModel model = one(from, new OnnxNode("n", "Relu", List.of("x"), List.of("y")));
    String message =
        assertThrows(BadInputException.class, () -> OpsetDowngrade.of(model, to)).getMessage();
    assertTrue(message.contains("opset " + from) && message.contains("opset " + to), message);
  }

  /** x [2, 3, 8] through one node. */
  private static OnnxModel one(long opset, OnnxNode node) {
    OnnxModel model = OnnxModel.create(8, opset);
    OnnxGraph graph = model.graph();
    graph.addInput("x", ElementType.FLOAT, 2L, 3L, 8L);
    graph.nodes().add(node);
    graph.addOutput("y", ElementType.FLOAT);
    return model;
  }

  private static OnnxNode node(String type, List<String> inputs, Attribute... attributes) {
    OnnxNode node = new OnnxNode("it", type, inputs, List.of("y"));
    for (Attribute attribute : attributes) {
      node.setAttribute(attribute);
    }
    return node;
  }

  private float[] run(OnnxModel model) throws IOException {
    Path file = folder.resolve("one.onnx");
    Export.write(model, file);
    try (Arena arena = Arena.ofConfined()) {
      Tensor input = Fixtures.zeros(arena, DType.F32, 2, 3, 8);
      Random random = new Random(1);
      for (int i = 0; i < 48; i++) {
        input.set(i, 3 * (float) random.nextGaussian());
      }
      try (OrtModel.Inputs fed = OrtModel.inputs(Map.of("x", input));
          OrtModel opened = OrtModel.open(file, 1)) {
        return opened.output(fed, "y");
      }
    }
  }

  private void converts(OnnxModel model) throws IOException {
    for (long target = 13; target < model.opset(); target++) {
      OnnxModel older = OpsetDowngrade.of(model, target);
      assertEquals(target, older.opset());
      Differences.assertClose(run(model), run(older), 2e-6, "opset " + target);
    }
  }

  @Test
  void everyConversionComputesTheSame() throws IOException {
    Attribute tanh = Attribute.of("approximate", "tanh");
    converts(one(20, node("Gelu", List.of("x"))));
    converts(one(20, node("Gelu", List.of("x"), tanh)));
    converts(one(18, node("ReduceMean", List.of("x"))));
    for (String type : List.of("ReduceMean", "ReduceMax", "ReduceL2", "ReduceLogSumExp")) {
      OnnxModel model = one(18, node(type, List.of("x", "axes"), Attribute.of("keepdims", 0L)));
      model.graph().addInitializer(Initializer.longs("axes", new long[] {-1, 1}, 2));
      converts(model);
    }
    for (boolean bias : new boolean[] {true, false}) {
      List<String> inputs = bias ? List.of("x", "s", "b") : List.of("x", "s");
      OnnxModel model = one(17, node("LayerNormalization", inputs, Attribute.of("epsilon", 0.01f)));
      model
          .graph()
          .addInitializer(Initializer.floats("s", new float[] {1, 2, 3, -4, 5, 0.5f, 0, 1}, 8));
      model
          .graph()
          .addInitializer(Initializer.floats("b", new float[] {1, 1, 0, 0, 2, 2, 3, 3}, 8));
      converts(model);
    }
  }

  /** Parts of a shape: from the front, from the end, and beyond it. */
  @ParameterizedTest
  @CsvSource({"0,1", "1,3", "-2,3", "1,-1", "0,99", "-99,2"})
  void partsOfShapes(long start, long end) throws IOException {
    OnnxModel model = one(15, node("Cast", List.of("part"), Attribute.of("to", 1L)));
    OnnxNode shape = new OnnxNode("shape", "Shape", List.of("x"), List.of("part"));
    shape.setAttribute(Attribute.of("start", start));
    shape.setAttribute(Attribute.of("end", end));
    model.graph().nodes().addFirst(shape);
    converts(model);
  }

  @Test
  void reshapesKeepTheirSizes() throws IOException {
    OnnxModel model = one(14, node("Reshape", List.of("x", "to"), Attribute.of("allowzero", 1L)));
    model.graph().addInitializer(Initializer.longs("to", new long[] {2, -1}, 2));
    converts(model);
    model.graph().addInitializer(Initializer.longs("to", new long[] {0, -1}, 2));
    assertTrue(refusal(model).contains("Reshape (it)"));
  }

  @Test
  void splitsIntoEqualParts() throws IOException {
    OnnxModel model = one(18, node("Split", List.of("x"), Attribute.of("axis", -1L)));
    OnnxNode split = model.graph().nodes().getFirst();
    split.setAttribute(Attribute.of("num_outputs", 2L));
    split.outputs().add("second");
    converts(model);
    split.setAttribute(Attribute.of("num_outputs", 3L));
    split.outputs().add("third");
    assertTrue(refusal(model).contains("Split (it)"));
  }

  private static String refusal(OnnxModel model) {
    byte[] before = model.toBytes();
    String message =
        assertThrows(BadInputException.class, () -> OpsetDowngrade.of(model, 13)).getMessage();
    assertArrayEquals(before, model.toBytes());
    assertTrue(message.contains("cannot be written in opset 13"), message);
    return message;
  }

  private static OnnxModel resize(String policy) {
    Attribute attribute = Attribute.of("keep_aspect_ratio_policy", policy);
    OnnxModel model = one(18, node("Resize", List.of("x", "", "s"), attribute));
    model.graph().addInitializer(Initializer.floats("s", new float[] {1, 1, 2}, 3));
    return model;
  }

  /** What the dynamo exporter writes out although it is what older opsets do. */
  @Test
  void aPolicyThatSaysNothingGoes() throws IOException {
    converts(resize("stretch"));
    assertTrue(refusal(resize("not_larger")).contains("has the attribute keep_aspect_ratio"));
  }

  @Test
  void newerOperatorsAreNamed() {
    for (String type :
        List.of("Trilu", "HardSwish", "CastLike", "Mish", "GroupNormalization", "Attention")) {
      assertTrue(refusal(one(25, node(type, List.of("x")))).contains(type + " (it)"));
    }
    String scatter =
        refusal(
            one(16, node("ScatterND", List.of("x", "i", "u"), Attribute.of("reduction", "add"))));
    assertTrue(scatter.contains("ScatterND (it) has the attribute reduction"), scatter);
    OnnxModel moments = one(17, node("LayerNormalization", List.of("x", "s")));
    moments.graph().nodes().getFirst().outputs().add("mean");
    assertTrue(refusal(moments).contains("hands out its mean"));
    String axis =
        refusal(one(17, node("LayerNormalization", List.of("x", "s"), Attribute.of("axis", 1L))));
    assertTrue(axis.contains("more than the last axis"), axis);
    String fed = refusal(one(18, node("ReduceMean", List.of("x", "axes"))));
    assertTrue(fed.contains("ReduceMean (it)") && fed.contains("no constant"), fed);
    BadInputException unknown =
        assertThrows(
            BadInputException.class,
            () -> OpsetDowngrade.of(one(27, node("Relu", List.of("x"))), 13));
    assertTrue(unknown.getMessage().contains("up to opset 26"), unknown.getMessage());
  }

  @Test
  void nestedGraphsAreTakenAsTheyAreOrNotAtAll() {
    for (String type : List.of("Relu", "Gelu")) {
      OnnxGraph inner = new OnnxGraph("inner");
      inner.addNode(type, List.of("x"), List.of("z"));
      inner.addOutput("z", ElementType.FLOAT);
      OnnxNode branch =
          node(
              "If",
              List.of("c"),
              Attribute.graph("then_branch", inner),
              Attribute.graph("else_branch", inner));
      OnnxModel model = one(20, branch);
      model.graph().addInput("c", ElementType.BOOL);
      if (type.equals("Relu")) {
        assertEquals(13, OpsetDowngrade.of(model, 13).opset());
      } else {
        assertTrue(refusal(model).contains("Gelu (z) stands in a nested graph"));
      }
    }
  }
}
