package dev.sidefade.onnx.gradient;

import dev.sidefade.onnx.OnnxGraph;
import dev.sidefade.onnx.OnnxNode;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;

/**
 * Which values of a graph carry gradients: floats that depend on a value that is differentiated by
 * and that a value depends on whose gradient is given.
 */
final class Activity {
  /** Operators of floats whose output does not change with small changes of the input. */
  private static final Set<String> FLAT =
      Set.of(
          "Shape",
          "Size",
          "ConstantOfShape",
          "EyeLike",
          "RandomNormalLike",
          "RandomUniformLike",
          "Floor",
          "Ceil",
          "Round",
          "Sign");

  /** For each float that depends on one of {@code by}: which. */
  private final Map<String, String> upstream = new HashMap<>();

  /** For each of these on which one of {@code of} depends: which. */
  private final Map<String, String> downstream = new HashMap<>();

  /** {@code values} must be of a sorted graph. */
  Activity(ForwardValues values, List<String> by, List<String> of) {
    OnnxGraph graph = values.graph();
    by.forEach(value -> upstream.put(value, value));
    for (OnnxNode node : graph.nodes()) {
      if (!FLAT.contains(node.opType())) {
        uses(node).stream()
            .filter(upstream::containsKey)
            .findFirst()
            .ifPresent(
                source -> markOutputs(node, Objects.requireNonNull(upstream.get(source)), values));
      }
    }
    of.stream().filter(upstream::containsKey).forEach(value -> downstream.put(value, value));
    for (OnnxNode node : graph.nodes().reversed()) {
      node.outputs().stream()
          .filter(downstream::containsKey)
          .findFirst()
          .ifPresent(target -> markInputs(node, Objects.requireNonNull(downstream.get(target))));
    }
  }

  /** Whether a value has a gradient. */
  boolean active(String value) {
    return downstream.containsKey(value);
  }

  /** One of the values that are differentiated by on which an output of {@code node} depends. */
  String upstreamOf(OnnxNode node) {
    return node.outputs().stream().filter(this::active).map(upstream::get).findFirst().orElse("");
  }

  /** One of the values whose gradients are given that depends on an output of {@code node}. */
  String downstreamOf(OnnxNode node) {
    return node.outputs().stream().filter(this::active).map(downstream::get).findFirst().orElse("");
  }

  /** What a node uses itself and the names that occur in graphs nested in it. */
  static List<String> uses(OnnxNode node) {
    List<String> used = new ArrayList<>(node.inputs());
    for (OnnxGraph nested : node.subgraphs()) {
      nested.nodes().forEach(inner -> used.addAll(uses(inner)));
      nested.outputs().forEach(output -> used.add(output.name()));
    }
    used.removeIf(String::isEmpty);
    return used;
  }

  private void markOutputs(OnnxNode node, String source, ForwardValues values) {
    node.outputs().stream()
        .filter(values::isFloat)
        .forEach(output -> upstream.putIfAbsent(output, source));
  }

  private void markInputs(OnnxNode node, String target) {
    if (!FLAT.contains(node.opType())) {
      uses(node).stream()
          .filter(upstream::containsKey)
          .forEach(used -> downstream.putIfAbsent(used, target));
    }
  }
}
