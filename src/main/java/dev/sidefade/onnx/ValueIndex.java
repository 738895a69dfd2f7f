package dev.sidefade.onnx;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Who makes and who uses each value of a graph, as it was when the index was made. */
final class ValueIndex {
  private final Map<String, OnnxNode> producers = new HashMap<>();
  private final Map<String, Set<OnnxNode>> users = new HashMap<>();

  /**
   * Nested graphs can be edited without this graph hearing of it, so they are searched each time.
   */
  private final List<OnnxNode> withSubgraphs = new ArrayList<>();

  ValueIndex(List<OnnxNode> nodes) {
    for (OnnxNode node : nodes) {
      node.outputs().forEach(output -> producers.putIfAbsent(output, node));
      node.inputs()
          .forEach(input -> users.computeIfAbsent(input, _ -> new LinkedHashSet<>()).add(node));
      if (!node.subgraphs().isEmpty()) {
        withSubgraphs.add(node);
      }
    }
    producers.remove("");
    users.remove("");
  }

  @Nullable OnnxNode producerOf(String value) {
    return producers.get(value);
  }

  List<OnnxNode> usersOf(String value) {
    Set<OnnxNode> found = new LinkedHashSet<>(users.getOrDefault(value, Set.of()));
    for (OnnxNode node : withSubgraphs) {
      if (Captures.of(node).contains(value)) {
        found.add(node);
      }
    }
    return List.copyOf(found);
  }
}
