package dev.sidefade.export;

import dev.sidefade.backbone.BackboneStructure;
import dev.sidefade.onnx.Dimension;
import dev.sidefade.onnx.ElementType;
import dev.sidefade.onnx.GraphEdit;
import dev.sidefade.onnx.OnnxGraph;
import dev.sidefade.onnx.ValueInfo;

/** Name and declaration of a model's logits. */
final class Logits {
  private Logits() {}

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

  /** [batch, classes], the batch called as the first input calls it. */
  static ValueInfo declare(OnnxGraph graph, String name, int classes) {
    Dimension batch = new Dimension.Symbolic("batch");
    for (ValueInfo input : graph.inputs()) {
      if (!graph.initializers().containsKey(input.name()) && !input.dims().isEmpty()) {
        batch = input.dims().getFirst();
        break;
      }
    }
    return ValueInfo.of(name, ElementType.FLOAT, batch, (long) classes);
  }
}
