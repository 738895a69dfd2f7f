package dev.sidefade.export;

import dev.sidefade.backbone.BackboneStructure;
import dev.sidefade.kernels.Pooling;
import dev.sidefade.onnx.Dimension;
import dev.sidefade.onnx.ElementType;
import dev.sidefade.onnx.GraphEdit;
import dev.sidefade.onnx.OnnxGraph;
import dev.sidefade.onnx.ValueInfo;
import java.util.List;

/**
 * The logits of a model, its only output.
 *
 * @param wanted name that they are to have
 * @param pooling which tokens they are of: one row for each example, or one for each token
 * @param classes number of classes
 */
record Logits(String wanted, Pooling pooling, int classes) {
  /**
   * Appends the head, whose logits become the only output.
   *
   * @param features [batch, D], or [batch, tokens, D] where tokens are not pooled
   * @param weight [D, classes]
   * @param bias [classes]
   */
  void append(NodeBuilder nodes, String features, String weight, String bias) {
    OnnxGraph graph = nodes.graph();
    graph.outputs().clear();
    String logits = free(graph, wanted);
    if (pooling == Pooling.TOKENS) {
      String product = nodes.node("MatMul", "head.product", List.of(features, weight));
      graph.addNode("Add", List.of(product, bias), List.of(logits));
    } else {
      graph.addNode("Gemm", List.of(features, weight, bias), List.of(logits));
    }
    graph.outputs().add(declare(graph, logits));
    // what was declared of a value of that name before
    graph.valueInfos().removeIf(info -> info.name().equals(logits));
  }

  /**
   * The output that the head's logits have, or the only output if it is a matrix; else {@code
   * logits}.
   */
  static String name(OnnxGraph graph, BackboneStructure structure) {
    for (ValueInfo output : graph.outputs()) {
      String value = GraphEdit.resolveIdentity(graph, output.name());
      boolean ofHead =
          structure
              .head()
              .filter(head -> GraphEdit.resolveIdentity(graph, head.output()).equals(value))
              .isPresent();
      boolean onlyMatrix = graph.outputs().size() == 1 && output.dims().size() == 2;
      if (ofHead || onlyMatrix) {
        return output.name();
      }
    }
    return "logits";
  }

  /** {@code name} if that is still free, else one like it. */
  static String free(OnnxGraph graph, String name) {
    boolean input = graph.inputs().stream().anyMatch(info -> info.name().equals(name));
    boolean taken =
        input || graph.initializers().containsKey(name) || graph.producerOf(name).isPresent();
    return taken ? graph.uniqueName(name.equals("logits") ? "class_logits" : "logits") : name;
  }

  /** [batch, classes], or [batch, tokens, classes] where tokens are not pooled. */
  ValueInfo declare(OnnxGraph graph, String name) {
    Dimension batch = dimension(graph, 0, "batch");
    return pooling == Pooling.TOKENS
        ? ValueInfo.of(name, ElementType.FLOAT, batch, tokens(graph, batch), (long) classes)
        : ValueInfo.of(name, ElementType.FLOAT, batch, (long) classes);
  }

  /** Called as the inputs of a text call it; some exporters call both dimensions the same. */
  private static Dimension tokens(OnnxGraph graph, Dimension batch) {
    Dimension otherwise = new Dimension.Symbolic("tokens");
    boolean images = graph.inputs().stream().anyMatch(input -> input.dims().size() == 4);
    Dimension second = images ? otherwise : dimension(graph, 1, "tokens");
    return second.equals(batch) ? otherwise : second;
  }

  /** A dimension of the first input that has it. */
  private static Dimension dimension(OnnxGraph graph, int index, String otherwise) {
    return graph.fedInputs().stream()
        .filter(input -> input.dims().size() > index)
        .map(input -> input.dims().get(index))
        .findFirst()
        .orElseGet(() -> new Dimension.Symbolic(otherwise));
  }
}
