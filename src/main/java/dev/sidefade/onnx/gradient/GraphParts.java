package dev.sidefade.onnx.gradient;

import dev.sidefade.onnx.GraphEdit;
import dev.sidefade.onnx.OnnxGraph;
import dev.sidefade.onnx.OnnxModel;
import dev.sidefade.onnx.OnnxNode;
import dev.sidefade.onnx.ValueInfo;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** Puts forward and gradient nodes together: into a graph each, and into one for both. */
final class GraphParts {
  private final OnnxModel original;
  private final GradientBuilder builder;
  private final ForwardValues values;
  private final List<String> by;
  private final List<String> of;

  /** Nodes that only gradients need: the gradient's own, and shapes of forward values. */
  private final Map<String, OnnxNode> gradientNodes = new HashMap<>();

  private final Map<String, OnnxNode> shapeNodes = new HashMap<>();

  /** Everything that the gradients read, found by walking back from them. */
  private final Set<String> read = new LinkedHashSet<>();

  /**
   * @param original the forward graph, sorted, perhaps with outputs that gradients ask of its
   *     nodes; it is not changed any more
   */
  GraphParts(OnnxModel original, GradientBuilder builder, List<String> by, List<String> of) {
    this.original = original;
    this.builder = builder;
    this.values = builder.values();
    this.by = by;
    this.of = of;
    builder.nodes().forEach(node -> gradientNodes.put(node.output(0), node));
    builder.shapeNodes().forEach(node -> shapeNodes.put(node.output(0), node));
    List<String> open = new ArrayList<>(by.stream().map(GradientGraph::gradient).toList());
    while (!open.isEmpty()) {
      String value = open.removeLast();
      if (read.add(value) && gradientNodes.containsKey(value)) {
        open.addAll(gradientNodes.get(value).inputs());
      }
    }
  }

  GradientGraph gradientGraph() {
    List<String> shapes = read.stream().filter(shapeNodes::containsKey).toList();
    Recomputation.Choice choice = Recomputation.of(values, by, read);
    List<String> saved = new ArrayList<>();
    for (OnnxNode node : original.graph().nodes()) {
      node.outputs().stream().filter(choice.saved()::contains).forEach(saved::add);
    }
    saved.addAll(shapes);
    OnnxModel backward = backward(saved, choice.nodes());
    Set<String> taken = new HashSet<>();
    backward.graph().inputs().forEach(input -> taken.add(input.name()));
    List<String> backwardInputs =
        original.graph().inputs().stream().map(ValueInfo::name).filter(taken::contains).toList();
    return new GradientGraph(forward(saved), backward, joint(), saved, backwardInputs);
  }

  private OnnxModel forward(List<String> saved) {
    OnnxModel model = original.copy();
    OnnxGraph graph = model.graph();
    addShapeNodes(graph);
    Set<String> outputs = new HashSet<>();
    graph.outputs().forEach(output -> outputs.add(output.name()));
    saved.stream()
        .filter(outputs::add)
        .forEach(value -> graph.outputs().add(values.declaration(value, value)));
    // a value is declared once
    graph.valueInfos().removeIf(info -> outputs.contains(info.name()));
    return model;
  }

  private OnnxModel joint() {
    OnnxModel model = original.copy();
    OnnxGraph graph = model.graph();
    addShapeNodes(graph);
    addGradientNodes(graph);
    addSeeds(graph);
    setOutputs(graph);
    GraphEdit.removeDeadNodes(graph);
    return model;
  }

  private OnnxModel backward(List<String> saved, Set<OnnxNode> repeated) {
    OnnxModel model = original.copy();
    OnnxGraph graph = model.graph();
    graph.nodes().clear();
    graph.inputs().clear();
    graph.valueInfos().clear();
    saved.forEach(value -> graph.inputs().add(values.declaration(value, value)));
    addSeeds(graph);
    Set<String> used = new HashSet<>(read);
    for (OnnxNode node : original.graph().nodes()) {
      if (repeated.contains(node)) {
        graph.nodes().add(node.copy());
        used.addAll(node.inputs());
      }
    }
    addGradientNodes(graph);
    original.graph().fedInputs().stream()
        .filter(input -> used.contains(input.name()))
        .forEach(graph.inputs()::add);
    setOutputs(graph);
    GraphEdit.removeDeadNodes(graph);
    return model;
  }

  private void addShapeNodes(OnnxGraph graph) {
    builder.shapeNodes().stream()
        .filter(node -> read.contains(node.output(0)))
        .forEach(node -> graph.nodes().add(node.copy()));
  }

  private void addGradientNodes(OnnxGraph graph) {
    builder.nodes().stream()
        .filter(node -> read.contains(node.output(0)))
        .forEach(node -> graph.nodes().add(node.copy()));
    builder
        .constants()
        .forEach((name, constant) -> {
          if (read.contains(name)) {
            graph.addInitializer(constant);
          }
        });
  }

  private void addSeeds(OnnxGraph graph) {
    of.forEach(value -> graph.inputs().add(values.declaration(value, GradientGraph.seed(value))));
  }

  private void setOutputs(OnnxGraph graph) {
    graph.outputs().clear();
    by.forEach(
        value -> graph.outputs().add(values.declaration(value, GradientGraph.gradient(value))));
  }
}
