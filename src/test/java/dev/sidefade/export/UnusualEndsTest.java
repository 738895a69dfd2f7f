package dev.sidefade.export;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.sidefade.backbone.Backbone;
import dev.sidefade.backbone.Head;
import dev.sidefade.backbone.Norm;
import dev.sidefade.kernels.Pooling;
import dev.sidefade.onnx.ElementType;
import dev.sidefade.onnx.GraphEdit;
import dev.sidefade.onnx.Initializer;
import dev.sidefade.onnx.OnnxGraph;
import dev.sidefade.onnx.OnnxModel;
import dev.sidefade.onnx.OnnxNode;
import dev.sidefade.tensor.Tensor;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Norms and heads that no fixture has: without a bias, as separate nodes, shared, with other
 * outputs beside them.
 */
class UnusualEndsTest {
  @TempDir Path folder;

  /** Changes the end of a model. */
  private interface Surgery {
    void operate(OnnxModel model, Norm norm, Head head);
  }

  @Test
  void aNormWithoutShiftGetsOne() throws IOException {
    for (String name : List.of("vit_timm_legacy14", "vit_timm_legacy17")) {
      check(
          name,
          (model, norm, head) -> {
            OnnxNode last = model.graph().producerOf(norm.output()).orElseThrow();
            if (last.is("LayerNormalization")) {
              last.inputs().remove(2);
            } else {
              int shift = model.graph().producerOf(last.input(0)).isPresent() ? 1 : 0;
              GraphEdit.replaceUses(model.graph(), norm.output(), last.input(1 - shift));
              GraphEdit.removeDeadNodes(model.graph());
            }
          });
      try (Backbone changed = Backbone.load(folder.resolve("changed.onnx"));
          Backbone faded = Backbone.load(folder.resolve("faded.onnx"))) {
        assertTrue(changed.structure().finalNorm().orElseThrow().bias().isEmpty(), name);
        assertTrue(faded.structure().finalNorm().orElseThrow().bias().isPresent(), name);
      }
    }
  }

  @Test
  void aProductWithoutBiasGetsOne() throws IOException {
    OnnxModel faded = check("vit_timm_legacy17", (model, norm, head) -> product(model, head));
    OnnxNode last =
        faded.graph().producerOf(faded.graph().outputs().getFirst().name()).orElseThrow();
    assertEquals("Gemm", last.opType());
    assertEquals(3, last.inputs().size());
  }

  @Test
  void theBiasOfASeparateAddIsFoundOnBothSides() throws IOException {
    for (boolean first : new boolean[] {true, false}) {
      OnnxModel faded =
          check(
              "vit_timm_dynamo18",
              (model, norm, head) -> {
                String bias = head.bias().orElseThrow();
                OnnxNode product = product(model, head);
                String scores = model.graph().uniqueName("scores");
                String output = product.output(0);
                product.outputs().set(0, scores);
                List<String> inputs = first ? List.of(bias, scores) : List.of(scores, bias);
                model.graph().addNode("Add", inputs, List.of(output));
              });
      assertEquals("Add", faded.graph().nodes().getLast().opType());
    }
  }

  @Test
  void constantsThatOthersReadAreLeftAlone() throws IOException {
    OnnxModel faded =
        check(
            "vit_timm_dynamo20",
            (model, norm, head) -> {
              OnnxGraph graph = model.graph();
              // the first norm of the first block reads what the final one does
              OnnxNode other =
                  graph.nodes().stream()
                      .filter(n -> n.is("LayerNormalization"))
                      .findFirst()
                      .orElseThrow();
              other.inputs().set(1, norm.scale());
              other.inputs().set(2, norm.bias().orElseThrow());
            });
    List<OnnxNode> norms =
        faded.graph().nodes().stream().filter(n -> n.is("LayerNormalization")).toList();
    assertFalse(norms.getFirst().input(1).equals(norms.getLast().input(1)));
    assertFalse(norms.getFirst().input(2).equals(norms.getLast().input(2)));
  }

  @Test
  void otherOutputsAreDropped() throws IOException {
    OnnxModel faded =
        check(
            "vit_timm_dynamo20",
            (model, norm, head) -> {
              model.graph().addNode("Softmax", List.of(head.output()), List.of("probabilities"));
              model.graph().addOutput("probabilities", ElementType.FLOAT, "batch", 5);
            });
    assertTrue(faded.graph().producerOf("probabilities").isEmpty());
  }

  /** Makes the head a MatMul of a weight from input to output. */
  private static OnnxNode product(OnnxModel model, Head head) {
    OnnxGraph graph = model.graph();
    float[] stored = graph.initializers().get(head.weight()).floats();
    int width = (int) head.width();
    int classes = (int) head.classes();
    float[] weight = new float[stored.length];
    for (int i = 0; i < stored.length; i++) {
      weight[i % width * classes + i / width] = stored[i];
    }
    assertTrue(head.transposed());
    OnnxNode node = graph.producerOf(head.output()).orElseThrow();
    node.setOpType("MatMul");
    List.of("alpha", "beta", "transA", "transB").forEach(node::removeAttribute);
    node.inputs().subList(1, node.inputs().size()).clear();
    node.inputs().add("weight.from.input");
    graph.addInitializer(Initializer.floats("weight.from.input", weight, width, classes));
    return node;
  }

  /** Changes a backbone, fades it with the read-out that it has, and verifies the result. */
  private OnnxModel check(String name, Surgery surgery) throws IOException {
    Path changed = folder.resolve("changed.onnx");
    try (Backbone backbone = Backbone.load(Fixtures.model(name))) {
      OnnxModel model = backbone.model().copy();
      surgery.operate(
          model,
          backbone.structure().finalNorm().orElseThrow(),
          backbone.structure().head().orElseThrow());
      model.write(changed);
    }
    try (Backbone backbone = Backbone.load(changed);
        TrainedTail trained = new TrainedTail(backbone, Pooling.CLS, 3, true, 3);
        Arena arena = Arena.ofConfined()) {
      assertTrue(backbone.structure().head().isPresent(), name + " lost its head");
      Map<String, Tensor> inputs = Fixtures.inputs(backbone, 5, 2, arena);
      Tensor logits = trained.logits(inputs, 5, arena);
      OnnxModel faded = FadedModel.build(backbone, trained.tuned(), Cards.of(backbone));
      Path target = folder.resolve("faded.onnx");
      Export.writeVerified(faded, target, new Verification(inputs, logits));
      return OnnxModel.read(target);
    }
  }
}
