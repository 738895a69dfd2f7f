package dev.sidefade.export;

import dev.sidefade.onnx.GraphEdit;
import dev.sidefade.onnx.Initializer;
import dev.sidefade.onnx.OnnxGraph;
import dev.sidefade.onnx.OnnxNode;
import java.util.List;
import java.util.Optional;

/** Gives one input of one node another constant and leaves everybody else's alone. */
final class OwnConstant {
  private OwnConstant() {}

  /**
   * Replaces the constant that a node reads. It keeps its name where nobody else reads it;
   * exporters let equal constants share an initializer, there the node gets one of its own. No node
   * is added or becomes dead.
   *
   * @param index of the node's input, at most one behind its last
   */
  static void replace(OnnxGraph graph, OnnxNode node, int index, float[] values, long... dims) {
    OnnxNode user = node;
    int at = index;
    Optional<OnnxNode> copy = privateIdentity(graph, user.input(at));
    while (copy.isPresent()) {
      user = copy.get();
      at = 0;
      copy = privateIdentity(graph, user.input(at));
    }
    String value = user.input(at);
    if (graph.initializers().containsKey(value) && isPrivate(graph, value)) {
      GraphEdit.replaceInitializer(graph, Initializer.floats(value, values, dims));
      return;
    }
    String root = value.isEmpty() ? node.output(0) + ".bias" : value;
    String own = graph.uniqueName(root + ".tuned");
    graph.addInitializer(Initializer.floats(own, values, dims));
    if (at < user.inputs().size()) {
      user.inputs().set(at, own);
    } else {
      user.inputs().add(own);
    }
  }

  /** An Identity whose result only one node reads. */
  private static Optional<OnnxNode> privateIdentity(OnnxGraph graph, String value) {
    return graph
        .producerOf(value)
        .filter(producer -> producer.is("Identity") && isPrivate(graph, value));
  }

  private static boolean isPrivate(OnnxGraph graph, String value) {
    List<OnnxNode> users = graph.usersOf(value).stream().distinct().toList();
    return users.size() == 1
        && users.getFirst().subgraphs().isEmpty()
        && users.getFirst().inputs().stream().filter(value::equals).count() == 1
        && graph.outputs().stream().noneMatch(output -> output.name().equals(value));
  }
}
