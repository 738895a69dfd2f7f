package dev.sidefade.backbone;

import dev.sidefade.onnx.ElementType;
import dev.sidefade.onnx.GraphEdit;
import dev.sidefade.onnx.Initializer;
import dev.sidefade.onnx.OnnxGraph;
import dev.sidefade.onnx.OnnxNode;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * Questions about a graph that the search for its structure asks, blind to Identity and to
 * constants' ways of being written.
 */
record GraphView(OnnxGraph graph) {

  /** The value behind Identity and (in inference) Dropout. */
  String root(String value) {
    String root = GraphEdit.resolveIdentity(graph, value);
    Optional<OnnxNode> producer = graph.producerOf(root);
    while (producer.filter(node -> node.is("Dropout")).isPresent()) {
      root = GraphEdit.resolveIdentity(graph, producer.get().input(0));
      producer = graph.producerOf(root);
    }
    return root;
  }

  boolean same(String a, String b) {
    return !a.isEmpty() && root(a).equals(root(b));
  }

  /** Whether a node hands its input on unchanged. */
  static boolean passes(OnnxNode node) {
    return node.is("Identity") || node.is("Dropout");
  }

  /** The node that computes a value, behind Identity. */
  Optional<OnnxNode> producer(String value) {
    return graph.producerOf(root(value));
  }

  /** The node that computes a value, behind Identity, if it is of the given type. */
  Optional<OnnxNode> producer(String value, String type) {
    return producer(value).filter(node -> node.is(type));
  }

  /** The nodes that use a value, behind Identity; shape arithmetic is none of them. */
  List<OnnxNode> users(String value) {
    return graph.usersOf(value).stream()
        .flatMap(node -> passes(node) ? users(node.output(0)).stream() : Stream.of(node))
        .filter(node -> !node.is("Shape"))
        .toList();
  }

  /** The constant that a value holds: an initializer or a Constant node, behind Identity. */
  Optional<Initializer> constant(String value) {
    return GraphEdit.constantValue(graph, root(value));
  }

  /** The initializer that a value holds, behind Identity: what can be replaced by another. */
  Optional<Initializer> weight(String value) {
    return Optional.ofNullable(graph.initializers().get(root(value)))
        .filter(initializer -> initializer.type() == ElementType.FLOAT);
  }

  /** The integers that a constant holds. */
  Optional<long[]> integers(String value) {
    return constant(value)
        .filter(c -> c.type() == ElementType.INT64 || c.type() == ElementType.INT32)
        .map(Initializer::longs);
  }

  /** The one floating-point number that a constant holds. */
  Optional<Float> number(String value) {
    return constant(value)
        .filter(c -> c.size() == 1)
        .filter(c -> c.type() == ElementType.FLOAT || c.type() == ElementType.DOUBLE)
        .map(c -> c.floats()[0]);
  }

  /** Axes of a reduction or squeeze: an attribute in old opsets, an input in new ones. */
  Optional<long[]> axes(OnnxNode node) {
    return node.intsAttribute("axes").or(() -> integers(node.input(1)));
  }

  /** Whether a value is an output of the graph, perhaps through Identity. */
  boolean isOutput(String value) {
    return graph.outputs().stream().anyMatch(output -> same(output.name(), value));
  }
}
