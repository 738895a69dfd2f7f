package dev.sidefade.backbone;

import dev.sidefade.onnx.Attribute;
import dev.sidefade.onnx.GraphEdit;
import dev.sidefade.onnx.Initializer;
import dev.sidefade.onnx.OnnxGraph;
import dev.sidefade.onnx.OnnxModel;
import dev.sidefade.onnx.OnnxNode;
import java.util.List;

/** Writes the linear layers of a model (MatMul, then Add) in other ways that compute the same. */
final class Rewriting {
  private Rewriting() {}

  /** Weights stored as [out, in], behind Identity and Transpose. */
  static void behindTransposes(OnnxModel model, List<LinearLayer> layers) {
    OnnxGraph graph = model.graph();
    for (LinearLayer layer : layers) {
      OnnxNode matmul = graph.producerOf(layer.output()).orElseThrow();
      String stored = turned(graph, layer);
      graph.addNode("Identity", List.of(stored), List.of(stored + ".copy"));
      graph.addNode(
          "Transpose",
          List.of(stored + ".copy"),
          List.of(stored + ".back"),
          Attribute.ints("perm", 1, 0));
      matmul.inputs().set(1, stored + ".back");
    }
    GraphEdit.topologicalSort(graph);
    GraphEdit.removeDeadNodes(graph);
  }

  /** Gemms over [batch * tokens, features], with the bias in them, weights stored as [out, in]. */
  static void asGemms(OnnxModel model, List<LinearLayer> layers, long tokens) {
    OnnxGraph graph = model.graph();
    for (LinearLayer layer : layers) {
      OnnxNode add = graph.usersOf(layer.output()).getFirst();
      String rows = layer.output() + ".rows";
      String wide = layer.output() + ".wide";
      graph.addInitializer(Initializer.longs(rows, new long[] {-1, layer.in()}, 2));
      graph.addInitializer(Initializer.longs(wide, new long[] {-1, tokens, layer.out()}, 3));
      String flat = rows + ".value";
      String product = wide + ".value";
      String result = add.output(0);
      graph.nodes().remove(add);
      graph.nodes().remove(graph.producerOf(layer.output()).orElseThrow());
      graph.addNode("Reshape", List.of(layer.input(), rows), List.of(flat));
      graph.addNode(
          "Gemm",
          List.of(flat, turned(graph, layer), layer.bias().orElseThrow()),
          List.of(product),
          Attribute.of("transB", 1));
      graph.addNode("Reshape", List.of(product, wide), List.of(result));
    }
    GraphEdit.topologicalSort(graph);
    GraphEdit.removeDeadNodes(graph);
  }

  private static String turned(OnnxGraph graph, LinearLayer layer) {
    String name = layer.weight() + ".turned";
    float[] weight = graph.initializers().get(layer.weight()).floats();
    graph.addInitializer(
        Initializer.floats(
            name,
            OwnConstant.transposed(weight, layer.in(), layer.out()),
            layer.out(),
            layer.in()));
    return name;
  }
}
