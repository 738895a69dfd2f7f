package dev.sidefade.text;

import dev.sidefade.onnx.Attribute;
import dev.sidefade.onnx.ElementType;
import dev.sidefade.onnx.GraphEdit;
import dev.sidefade.onnx.Initializer;
import dev.sidefade.onnx.OnnxGraph;
import dev.sidefade.onnx.OnnxModel;
import dev.sidefade.onnx.OnnxNode;
import dev.sidefade.onnx.ValueInfo;
import java.util.List;

/** Models that compute what another does, and are fed in other ways. */
public final class TextModels {
  private TextModels() {}

  /** With inputs of 32 bits in the place of 64. */
  public static void narrow(OnnxModel model) {
    OnnxGraph graph = model.graph();
    for (int i = 0; i < graph.inputs().size(); i++) {
      String input = graph.inputs().get(i).name();
      String wide = graph.uniqueName(input + ".wide");
      GraphEdit.replaceUses(graph, input, wide);
      graph.addNode("Cast", List.of(input), List.of(wide), Attribute.of("to", 7L));
      graph.inputs().set(i, ValueInfo.of(input, ElementType.INT32, "batch", "sequence"));
    }
    GraphEdit.topologicalSort(graph);
  }

  /** With an input for the places of tokens in the place of a constant. */
  public static void positioned(OnnxModel model) {
    OnnxGraph graph = model.graph();
    OnnxNode lookup =
        graph.nodes().stream()
            .filter(node -> node.is("Gather") && rows(graph, node) == 48)
            .findFirst()
            .orElseThrow();
    graph.addInput("position_ids", ElementType.INT64, "batch", "sequence");
    lookup.inputs().set(1, "position_ids");
    GraphEdit.removeDeadNodes(graph);
  }

  private static long rows(OnnxGraph graph, OnnxNode lookup) {
    return GraphEdit.constantValue(graph, lookup.input(0))
        .map(Initializer::dims)
        .map(dims -> dims.length == 2 ? dims[0] : -1)
        .orElse(-1L);
  }
}
