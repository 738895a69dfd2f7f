package dev.sidefade.onnx.gradient;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.sidefade.backbone.ShapeInference;
import dev.sidefade.onnx.ElementType;
import dev.sidefade.onnx.OnnxModel;
import dev.sidefade.onnx.OnnxNode;
import dev.sidefade.onnx.gradient.Tensors.Tensor;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What is kept between the forward and the backward graph. */
class RecomputationTest {
  private static List<String> operators(OnnxModel model) {
    return model.graph().nodes().stream().map(OnnxNode::opType).toList();
  }

  @Test
  void oneValueOfAnActivationIsEnough() throws Exception {
    GradientCase made =
        new GradientCase(13)
            .constant("w", 4, 8)
            .fed("x", 3, 4)
            .by("b", 8)
            .number("half", 0.5)
            .number("one", 1)
            .node("MatMul", List.of("x", "w"), "product")
            .node("Add", List.of("product", "b"), "h")
            .node("Tanh", List.of("h"), "t")
            .node("Add", List.of("t", "one"), "t1")
            .node("Mul", List.of("h", "t1"), "ht")
            .node("Mul", List.of("ht", "half"), "y")
            .of("y");
    made.check();
    GradientGraph graph = made.gradients(true);
    assertEquals(List.of("h"), graph.saved());
    assertFalse(operators(graph.backward()).contains("MatMul"));
    assertTrue(operators(graph.backward()).contains("Tanh"));
  }

  /** Two values that both come from one third are both computed again from that one. */
  @Test
  void siblingsShareTheirSource() throws Exception {
    GradientCase made =
        new GradientCase(13)
            .constant("w", 4, 8)
            .by("x", 3, 4)
            .by("p", 8)
            .by("q", 8)
            .node("MatMul", List.of("x", "w"), "h")
            .node("Neg", List.of("h"), "a")
            .node("Exp", List.of("h"), "b")
            .node("Mul", List.of("a", "p"), "ap")
            .node("Mul", List.of("b", "q"), "bq")
            .node("Add", List.of("ap", "bq"), "y")
            .of("y");
    made.check();
    assertEquals(List.of("h"), made.gradients(true).saved());
  }

  @Test
  void outputsThatComeAnywayAreFreeToRead() throws Exception {
    GradientCase made =
        new GradientCase(13)
            .constant("w", 4, 8)
            .fed("x", 3, 4)
            .by("p", 8)
            .node("MatMul", List.of("x", "w"), "tap")
            .node("Sigmoid", List.of("tap"), "a")
            .node("Mul", List.of("a", "p"), "y")
            .of("y", "tap");
    GradientGraph graph = made.gradients(true);
    assertEquals(List.of("tap"), graph.saved());
    assertEquals(2, graph.forward().graph().outputs().size());
    made.check();
  }

  /** A weight with a low-rank difference is put together again, not kept for every run. */
  @Test
  void whatDependsOnParametersOnlyIsNotKept() throws Exception {
    GradientCase made =
        new GradientCase(17)
            .fed("tokens", 2, 3, 8)
            .by("bias", 8)
            .constant("w", 8, 8)
            .by("down", 8, 2)
            .by("up", 2, 8)
            .node("Add", List.of("tokens", "bias"), "x")
            .node("MatMul", List.of("down", "up"), "delta")
            .node("Add", List.of("w", "delta"), "sum")
            .node("MatMul", List.of("x", "sum"), "y")
            .of("y");
    made.check();
    // the bias has an open size in the dynamic model, so only the other form says anything
    GradientGraph graph = made.gradients(false);
    assertEquals(List.of(), graph.saved());
    assertEquals(List.of("tokens", "bias", "down", "up"), graph.backwardInputs());
  }

  /** Embeddings are kept rather than looked up again, for that would take a copy of their table. */
  @Test
  void tablesStayInTheForwardGraph() throws Exception {
    GradientCase made =
        new GradientCase(13)
            .constant("table", 30, 4)
            .fed("ids", new Tensor(ElementType.INT64, new double[] {1, 29, 7, 7, 0, 3}, 2, 3))
            .by("scale", 4)
            .node("Gather", List.of("table", "ids"), "embedded")
            .node("Tanh", List.of("embedded"), "x")
            .node("Mul", List.of("x", "scale"), "y")
            .of("y");
    made.check();
    GradientGraph graph = made.gradients(true);
    assertEquals(1, graph.saved().size());
    assertFalse(graph.backward().graph().initializers().containsKey("table"));
  }

  @Test
  void masksAreMadeAgainOfWhatIsFed() throws Exception {
    for (boolean dynamic : new boolean[] {false, true}) {
      GradientGraph graph = Block.of(13, false).gradients(dynamic);
      assertTrue(graph.backwardInputs().contains("mask"));
      assertFalse(graph.saved().contains("hide"));
      assertTrue(operators(graph.backward()).contains("Equal"));
    }
  }

  /** Of a block the products, the softmax, the stream and statistics of norms are kept. */
  @ParameterizedTest
  @ValueSource(longs = {14, 20})
  void ofABlockOnlyWhatIsDearIsKept(long opset) {
    OnnxModel model = Block.of(opset, true).dynamicModel();
    List<String> by =
        List.of("first-scale", "first-bias", "second-scale", "second-bias", "up-bias");
    GradientGraph graph = GradientGraph.of(model, ShapeInference.infer(model), by, List.of("y"));
    Set<String> dear = Set.of("MatMul", "Softmax", "LayerNormalization", "ReduceMean", "Shape");
    Set<String> others =
        Set.of(
            "tap",
            "q",
            "k",
            "v",
            "queries",
            "keys",
            "hidden",
            "first-centred",
            "second-centred",
            "first-deviation",
            "second-deviation",
            "qkv-sum");
    for (String saved : graph.saved()) {
      String operator = graph.forward().graph().producerOf(saved).orElseThrow().opType();
      assertTrue(dear.contains(operator) || others.contains(saved), saved);
    }
    for (String cheap : List.of("active", "bent", "twice", "second-normal", "masked", "joined")) {
      assertFalse(graph.saved().contains(cheap), cheap);
    }
  }

  @Test
  void forwardAndBackwardSplitTheWork() {
    GradientGraph graph = Block.of(17, true).gradients(true);
    assertFalse(operators(graph.backward()).contains("Softmax"));
    assertFalse(operators(graph.backward()).contains("LayerNormalization"));
    assertEquals(
        operators(graph.forward()).stream().filter("Softmax"::equals).count(),
        operators(graph.joint()).stream().filter("Softmax"::equals).count());
  }
}
