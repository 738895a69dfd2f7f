package dev.sidefade.backbone;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.sidefade.onnx.Attribute;
import dev.sidefade.onnx.ElementType;
import dev.sidefade.onnx.GraphEdit;
import dev.sidefade.onnx.Initializer;
import dev.sidefade.onnx.OnnxGraph;
import dev.sidefade.onnx.OnnxModel;
import dev.sidefade.onnx.OnnxNode;
import dev.sidefade.onnx.ValueInfo;
import dev.sidefade.tensor.BadInputException;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Models that cannot serve are refused in one sentence that says why and what to do. */
class RefusalTest {
  @TempDir private Path folder;

  private static void refused(OnnxModel model, String... parts) {
    String message =
        assertThrows(BadInputException.class, () -> StructureFinder.find(model)).getMessage();
    for (String part : parts) {
      assertTrue(message.contains(part), message);
    }
    assertFalse(message.contains("\n"), message);
  }

  private static OnnxModel fixture(String name) throws IOException {
    return OnnxModel.read(Golden.model(name + ".onnx")).copy();
  }

  private static OnnxNode node(OnnxModel model, String output) {
    return model.graph().producerOf(output).orElseThrow();
  }

  @Test
  void graphsOptimisedByOnnxRuntime() throws IOException {
    refused(fixture("bert_legacy17_ort"), "FusedMatMul", "com.microsoft", "unoptimised export");
    refused(fixture("vit_timm_dynamo20_ort"), "com.microsoft", "unoptimised export");
    for (String type : List.of("SkipLayerNormalization", "Attention", "FusedMatMul")) {
      OnnxModel model = fixture("vit_timm_dynamo20");
      OnnxNode node = node(model, "layer_norm_1");
      node.setOpType(type);
      node.setDomain("com.microsoft");
      model.setOpset("com.microsoft", 1);
      refused(model, type, "unoptimised export");
    }
  }

  @Test
  void quantisedGraphs() throws IOException {
    OnnxModel model = fixture("vit_timm_dynamo20");
    node(model, "layer_norm_1").setOpType("DynamicQuantizeLinear");
    refused(model, "quantised", "float32");
  }

  private static Initializer half(Initializer constant, String name) {
    long bytes = 2 * Arrays.stream(constant.dims()).reduce(1, Math::multiplyExact);
    MemorySegment data = Arena.ofAuto().allocate(bytes, 64);
    return Initializer.of(name, ElementType.FLOAT16, data, constant.dims());
  }

  private static List<Initializer> floats(OnnxModel model) {
    return model.graph().initializers().values().stream()
        .filter(constant -> constant.type() == ElementType.FLOAT)
        .toList();
  }

  @Test
  void backbonesOfSixteenBits() throws IOException {
    OnnxModel model = fixture("vit_timm_dynamo20");
    for (Initializer constant : floats(model)) {
      GraphEdit.replaceInitializer(model.graph(), half(constant, constant.name()));
    }
    refused(model, "FLOAT16", "use the float32 export");
  }

  /** As a smaller export stores them: norms alone would learn, and nobody would notice. */
  @Test
  void weightsOfSixteenBitsBehindACast() throws IOException {
    OnnxModel model = fixture("vit_timm_dynamo20");
    for (Initializer constant : floats(model)) {
      if (constant.dims().length == 2) {
        model.graph().initializers().remove(constant.name());
        Initializer stored = half(constant, constant.name() + "_stored");
        model.graph().addInitializer(stored);
        OnnxNode cast = new OnnxNode("", "Cast", List.of(stored.name()), List.of(constant.name()));
        cast.setAttribute(Attribute.of("to", 1L));
        model.graph().nodes().addFirst(cast);
      }
    }
    Path file = folder.resolve("half.onnx");
    model.write(file);
    try (Backbone backbone = Backbone.load(file)) {
      assertFalse(TunableConstants.of(backbone, Tuning.norms()).isEmpty());
      String message =
          assertThrows(
                  BadInputException.class, () -> TunableConstants.of(backbone, Tuning.lowRank(2)))
              .getMessage();
      assertTrue(message.contains("no weights in float32"), message);
    }
  }

  @Test
  void convolutionalNetworks() {
    OnnxModel model = OnnxModel.create(8, 17);
    OnnxGraph graph = model.graph();
    graph.addInput("image", ElementType.FLOAT, "batch", 1, 8, 8);
    graph.addInitializer(Initializer.floats("w", new float[9], 1, 1, 3, 3));
    graph.addNode("Conv", List.of("image", "w"), List.of("a"));
    graph.addNode("Relu", List.of("a"), List.of("b"));
    graph.addNode("Conv", List.of("b", "w"), List.of("c"));
    graph.outputs().add(ValueInfo.untyped("c"));
    refused(model, "convolutional network", "transformers");
  }

  @Test
  void graphsWithoutBlocksSayWhatWasSearchedAndHowToNameTaps() {
    OnnxModel model = OnnxModel.create(8, 17);
    OnnxGraph graph = model.graph();
    graph.addInput("x", ElementType.FLOAT, "batch", 4);
    graph.addInitializer(Initializer.floats("w", new float[16], 4, 4));
    graph.addNode("MatMul", List.of("x", "w"), List.of("y"));
    graph.outputs().add(ValueInfo.untyped("y"));
    refused(model, "no taps were found", "attention and MLP", "0 layer norms", "\"taps\"");
  }

  @Test
  void aStreamThatBreaksIsShownWhereItDoes() throws IOException {
    OnnxModel model = fixture("vit_timm_legacy17");
    // the second block loses the addition behind its attention
    OnnxNode add = node(model, "/blocks/blocks.1/Add_output_0");
    add.setOpType("Identity");
    add.inputs().removeFirst();
    refused(model, "breaks after block 1", "AMMAM", "\"taps\"");
  }

  @Test
  void aFixedBatchSize() throws IOException {
    OnnxModel model = fixture("vit_timm_dynamo20");
    List<ValueInfo> inputs = model.graph().inputs();
    inputs.set(0, ValueInfo.of("image", ElementType.FLOAT, 1, 3, 24, 24));
    Path file = folder.resolve("fixed.onnx");
    model.write(file);
    String message = assertThrows(BadInputException.class, () -> Backbone.load(file)).getMessage();
    assertTrue(message.contains("fixed batch size of 1") && message.contains("dynamic"), message);
  }

  @Test
  void filesThatAreMissingTruncatedOrSomethingElse() throws IOException {
    byte[] whole = Files.readAllBytes(Golden.model("vit_timm_dynamo20.onnx"));
    Path file = folder.resolve("broken.onnx");
    assertThrows(BadInputException.class, () -> Backbone.load(file));
    Random random = new Random(3);
    for (int i = 0; i < 60; i++) {
      int length = i < 20 ? i * 7 : random.nextInt(whole.length);
      Files.write(file, Arrays.copyOf(whole, length));
      String message =
          assertThrows(BadInputException.class, () -> Backbone.load(file).close()).getMessage();
      assertFalse(message.contains("\n"), message);
    }
    Files.writeString(file, "this is a picture of a cat, not a model");
    assertThrows(BadInputException.class, () -> Backbone.load(file));
  }

  @Test
  void missingExternalData() throws IOException {
    Path file = folder.resolve("vit_timm_external_dynamo20.onnx");
    Files.copy(Golden.model("vit_timm_external_dynamo20.onnx"), file);
    String message = assertThrows(BadInputException.class, () -> Backbone.load(file)).getMessage();
    assertTrue(message.contains("vit_timm_external_dynamo20.onnx.data"), message);
  }

  /** Whatever is done to a graph, it is either understood or refused: nothing else is thrown. */
  @Test
  void damagedGraphsAreRefusedOrUnderstood() throws IOException {
    Random random = new Random(17);
    int understood = 0;
    for (int i = 0; i < 120; i++) {
      OnnxModel model = fixture(i % 2 == 0 ? "vit_timm_legacy14" : "bert_dynamo20");
      damage(model.graph(), random);
      try {
        StructureFinder.find(model);
        understood++;
      } catch (BadInputException e) {
        assertFalse(e.getMessage().contains("\n"), e.getMessage());
      }
    }
    assertTrue(understood > 0 && understood < 120, understood + " of 120 understood");
  }

  private static void damage(OnnxGraph graph, Random random) {
    OnnxNode node = graph.nodes().get(random.nextInt(graph.nodes().size()));
    List<OnnxNode> nodes = graph.nodes();
    OnnxNode other = nodes.get(random.nextInt(nodes.size()));
    switch (random.nextInt(5)) {
      case 0 -> nodes.remove(node);
      case 1 -> node.setOpType("Identity");
      case 2 -> node.inputs().clear();
      case 3 -> {
        if (!node.inputs().isEmpty()) {
          node.inputs().set(0, other.output(0));
        }
      }
      default -> node.attributes().stream().toList().forEach(a -> node.removeAttribute(a.name()));
    }
  }

  @Test
  void aModelWithoutHeadOrImagesSaysSo() throws IOException {
    try (Backbone bert = Backbone.load(Golden.model("bert_model_legacy14.onnx"))) {
      assertFalse(bert.takesImages());
      assertEquals(-1, bert.tokens());
      String message = assertThrows(BadInputException.class, bert::channels).getMessage();
      assertTrue(message.contains("input_ids"), message);
    }
  }
}
