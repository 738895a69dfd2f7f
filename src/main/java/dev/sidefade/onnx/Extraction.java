package dev.sidefade.onnx;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;

/** Cuts the part of a model between some values and others. */
final class Extraction {
  private final OnnxGraph graph;
  private final Set<String> inputs;
  private final Set<OnnxNode> nodes = new HashSet<>();
  private final Set<String> constants = new HashSet<>();
  private final Set<String> unfed = new LinkedHashSet<>();

  private Extraction(OnnxGraph graph, List<String> inputs) {
    this.graph = graph;
    this.inputs = new LinkedHashSet<>(inputs);
  }

  static OnnxModel extract(OnnxModel model, List<String> inputs, List<String> outputs) {
    OnnxGraph graph = model.graph();
    Set<String> known = GraphEdit.definedValues(graph);
    GraphEdit.refuseMissing(
        "to extract",
        Stream.concat(inputs.stream(), outputs.stream())
            .filter(value -> !known.contains(value))
            .distinct()
            .toList());
    Extraction extraction = new Extraction(graph, inputs);
    extraction.walkBackFrom(outputs);
    if (!extraction.unfed.isEmpty()) {
      throw Refusal.of(
          "the values "
              + String.join(", ", outputs)
              + " also need "
              + String.join(", ", extraction.unfed)
              + "; name these as inputs too");
    }
    return model.withGraph(extraction.part(outputs));
  }

  private void walkBackFrom(List<String> outputs) {
    List<String> open = new ArrayList<>(outputs);
    Set<String> seen = new HashSet<>();
    while (!open.isEmpty()) {
      String value = open.removeLast();
      if (inputs.contains(value) || !seen.add(value)) {
        continue;
      }
      Optional<OnnxNode> producer = graph.producerOf(value);
      if (producer.isPresent()) {
        if (nodes.add(producer.get())) {
          open.addAll(GraphEdit.valuesUsedBy(producer.get()));
        }
      } else if (graph.initializers().containsKey(value)) {
        constants.add(value);
      } else if (!graph.sparseInitializers().contains(value)) {
        unfed.add(value);
      }
    }
  }

  private OnnxGraph part(List<String> outputs) {
    OnnxGraph part = graph.copyWithoutContent();
    graph.nodes().stream().filter(nodes::contains).forEach(node -> part.nodes().add(copy(node)));
    graph.initializers().values().stream()
        .filter(constant -> constants.contains(constant.name()))
        .forEach(part::addInitializer);
    inputs.forEach(input -> part.inputs().add(declaration(input)));
    outputs.stream().distinct().forEach(output -> part.outputs().add(declaration(output)));
    Set<String> inside = GraphEdit.definedValues(part);
    graph.valueInfos().stream()
        .filter(info -> inside.contains(info.name()) && !inputs.contains(info.name()))
        .forEach(part.valueInfos()::add);
    return part;
  }

  /**
   * A node that also makes one of the inputs (as its second output, say) keeps running but under
   * another name, so that the value is not defined twice.
   */
  private OnnxNode copy(OnnxNode node) {
    OnnxNode copy = node.copy();
    copy.outputs()
        .replaceAll(output -> inputs.contains(output) ? graph.uniqueName(output) : output);
    return copy;
  }

  private ValueInfo declaration(String value) {
    Initializer constant = graph.initializers().get(value);
    if (constant != null) {
      return GraphEdit.declarationOf(constant);
    }
    return graph.infoOf(value).orElseGet(() -> ValueInfo.untyped(value));
  }
}
