package dev.sidefade.onnx;

import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.Set;

/** Values that nested graphs take from the graphs around them. */
final class Captures {
  private Captures() {}

  /** Names of the outer values that the graphs nested in {@code node} use. */
  static Set<String> of(OnnxNode node) {
    Set<String> captured = new LinkedHashSet<>();
    node.subgraphs().forEach(graph -> captured.addAll(of(graph)));
    return captured;
  }

  /** Names of the values that {@code graph} uses but does not define. */
  static Set<String> of(OnnxGraph graph) {
    Set<String> defined = new HashSet<>(graph.initializers().keySet());
    defined.addAll(graph.sparseInitializers());
    graph.inputs().forEach(input -> defined.add(input.name()));
    graph.nodes().forEach(node -> defined.addAll(node.outputs()));
    Set<String> used = new LinkedHashSet<>();
    for (OnnxNode node : graph.nodes()) {
      used.addAll(node.inputs());
      used.addAll(of(node));
    }
    graph.outputs().forEach(output -> used.add(output.name()));
    used.removeAll(defined);
    used.remove("");
    return used;
  }
}
