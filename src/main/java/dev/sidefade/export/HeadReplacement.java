package dev.sidefade.export;

import dev.sidefade.backbone.Head;
import dev.sidefade.backbone.OwnConstant;
import dev.sidefade.onnx.GraphEdit;
import dev.sidefade.onnx.OnnxGraph;
import dev.sidefade.onnx.OnnxModel;
import dev.sidefade.onnx.OnnxNode;
import dev.sidefade.onnx.ValueInfo;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/** Puts other constants into the head that a graph has; its nodes stay. */
final class HeadReplacement {
  private HeadReplacement() {}

  static void replace(OnnxModel model, Head head, TunedTail tail) {
    OnnxGraph graph = model.graph();
    OnnxNode product = replaceBias(graph, head, tail);
    float[] weight = tail.headWeight();
    long features = weight.length / tail.classes();
    if (head.transposed()) {
      OwnConstant.replace(
          graph, product, 1, transposed(weight, tail.classes()), tail.classes(), features);
    } else {
      OwnConstant.replace(graph, product, 1, weight, features, tail.classes());
    }
    keepLogitsOnly(graph, head, tail);
    Set<String> changed = downstream(graph, product);
    graph.valueInfos().removeIf(info -> changed.contains(info.name()));
  }

  /** Replaces the bias and returns the node that multiplies by the weight. */
  private static OnnxNode replaceBias(OnnxGraph graph, Head head, TunedTail tail) {
    OnnxNode last = graph.producerOf(head.output()).orElseThrow();
    if (last.is("Add")) {
      int index = root(graph, last.input(1)).equals(head.bias().orElseThrow()) ? 1 : 0;
      OwnConstant.replace(graph, last, index, tail.headBias(), tail.classes());
      return graph.producerOf(root(graph, last.input(1 - index))).orElseThrow();
    }
    // a product without bias; features are [batch, width], as Gemm wants them
    last.setOpType("Gemm");
    OwnConstant.replace(graph, last, 2, tail.headBias(), tail.classes());
    return last;
  }

  private static void keepLogitsOnly(OnnxGraph graph, Head head, TunedTail tail) {
    String logits = root(graph, head.output());
    ValueInfo output =
        graph.outputs().stream()
            .filter(info -> root(graph, info.name()).equals(logits))
            .findFirst()
            .orElseThrow();
    boolean others = graph.outputs().size() > 1;
    graph.outputs().clear();
    Logits declared = new Logits(output.name(), tail.pooling(), tail.classes());
    graph.outputs().add(declared.declare(graph, output.name()));
    if (others) {
      GraphEdit.removeDeadNodes(graph);
    }
  }

  /** The value behind Identity and (in inference) Dropout. */
  private static String root(OnnxGraph graph, String value) {
    String root = GraphEdit.resolveIdentity(graph, value);
    Optional<OnnxNode> producer = graph.producerOf(root).filter(node -> node.is("Dropout"));
    return producer.isPresent() ? root(graph, producer.get().input(0)) : root;
  }

  private static Set<String> downstream(OnnxGraph graph, OnnxNode node) {
    Set<String> values = new HashSet<>(node.outputs());
    for (String output : node.outputs()) {
      List<OnnxNode> users = graph.usersOf(output);
      users.forEach(user -> values.addAll(downstream(graph, user)));
    }
    return values;
  }

  private static float[] transposed(float[] weight, int classes) {
    int features = weight.length / classes;
    float[] result = new float[weight.length];
    for (int i = 0; i < features; i++) {
      for (int c = 0; c < classes; c++) {
        result[c * features + i] = weight[i * classes + c];
      }
    }
    return result;
  }
}
