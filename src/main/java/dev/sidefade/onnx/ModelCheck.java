package dev.sidefade.onnx;

import dev.sidefade.tensor.BadInputException;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * The structural check of a model: every value is defined once and before it is used, nodes do not
 * need each other in a circle, the operators of every domain are imported, inputs have types and
 * tensors fill their shapes. Whether operators and types fit together is for ONNX Runtime to say.
 */
public final class ModelCheck {
  private final Map<String, Long> opsets;

  private ModelCheck(Map<String, Long> opsets) {
    this.opsets = opsets;
  }

  /**
   * Returns if the model is sound.
   *
   * @param model the model
   * @throws BadInputException naming the first node or value that is not
   */
  public static void check(OnnxModel model) {
    OnnxGraph graph = model.graph();
    ModelCheck check = new ModelCheck(model.opsets());
    check.inputsTyped(graph);
    check.graph(graph, Set.of());
    check.declarationsAgree(graph);
    if (graph.outputs().isEmpty()) {
      throw Refusal.of("the model has no outputs; expose at least one value");
    }
  }

  private void graph(OnnxGraph graph, Set<String> outer) {
    Set<String> defined = new HashSet<>(outer);
    distinct(graph.inputs(), "input", defined, outer);
    distinct(graph.outputs(), "output", new HashSet<>(), Set.of());
    graph.initializers().forEach((name, constant) -> initializer(graph, name, constant, defined));
    defined.addAll(graph.sparseInitializers());
    Map<String, OnnxNode> producers = producers(graph, defined);
    for (OnnxNode node : graph.nodes()) {
      node(node, graph, producers, defined);
      defined.addAll(node.outputs());
    }
    for (ValueInfo output : graph.outputs()) {
      if (!defined.contains(output.name())) {
        throw Refusal.of(
            "the output " + output.name() + " is computed by no node; remove it or add the node");
      }
    }
  }

  /**
   * The node of each value, which must be one; {@code defined} are the values that are no node's.
   */
  private static Map<String, OnnxNode> producers(OnnxGraph graph, Set<String> defined) {
    Map<String, OnnxNode> producers = new HashMap<>();
    for (OnnxNode node : graph.nodes()) {
      for (String output : node.outputs()) {
        if (output.isEmpty()) {
          continue;
        }
        if (defined.contains(output)) {
          throw definedTwice(node, output, "is defined outside the nodes");
        }
        OnnxNode other = producers.put(output, node);
        if (other != null) {
          throw definedTwice(node, output, other + " defines");
        }
      }
    }
    return producers;
  }

  private static BadInputException definedTwice(OnnxNode node, String value, String elsewhere) {
    return Refusal.of(
        node
            + " defines the value "
            + value
            + ", which "
            + elsewhere
            + " too; give it another name");
  }

  private void node(
      OnnxNode node, OnnxGraph graph, Map<String, OnnxNode> producers, Set<String> defined) {
    if (node.opType().isEmpty()) {
      throw Refusal.of(node + " has no operator; give it one");
    }
    if (!opsets.containsKey(node.domain())) {
      throw Refusal.of(
          node
              + " is of the domain "
              + (node.domain().isEmpty() ? "ai.onnx" : node.domain())
              + ", which the model does not import; import it with a version");
    }
    for (String value : GraphEdit.valuesUsedBy(node)) {
      if (!defined.contains(value)) {
        throw undefined(node, value, graph, producers);
      }
    }
    for (Attribute attribute : node.attributes()) {
      attribute.tensors().forEach(Initializer::checkLength);
      attribute.graphs().forEach(nested -> graph(nested, defined));
    }
  }

  private static BadInputException undefined(
      OnnxNode node, String value, OnnxGraph graph, Map<String, OnnxNode> producers) {
    if (!producers.containsKey(value)) {
      return Refusal.of(
          node + " uses the value " + value + ", which nothing defines; add it or use another");
    }
    // names the node of a cycle if there is one; else the order is all that is wrong
    TopologicalOrder.of(graph);
    return Refusal.of(
        node
            + " uses the value "
            + value
            + " before "
            + producers.get(value)
            + " computes it; sort the graph");
  }

  private static void initializer(
      OnnxGraph graph, String name, Initializer constant, Set<String> defined) {
    if (!name.equals(constant.name())) {
      throw Refusal.of(
          "the initializer "
              + constant.name()
              + " is filed under the name "
              + name
              + "; file it under its own");
    }
    constant.checkLength();
    // an input of old models may have its default as an initializer of the same name
    boolean alsoInput = graph.inputs().stream().anyMatch(input -> input.name().equals(name));
    if (!defined.add(name) && !alsoInput) {
      throw Refusal.of(
          "the initializer " + name + " has the name of an outer value; give it another name");
    }
  }

  private static void distinct(
      List<ValueInfo> infos, String what, Set<String> names, Set<String> outer) {
    for (ValueInfo info : infos) {
      if (info.name().isEmpty()) {
        throw Refusal.of("an " + what + " of the model has no name; give it one");
      }
      if (!names.add(info.name())) {
        throw Refusal.of(
            "the "
                + what
                + " "
                + info.name()
                + (outer.contains(info.name())
                    ? " has the name of an outer value"
                    : " occurs twice")
                + "; give it another name");
      }
    }
  }

  /**
   * Where a value is declared twice, as an output and in between say, both must give it one type.
   */
  private void declarationsAgree(OnnxGraph graph) {
    Map<String, ElementType> types = new HashMap<>();
    graph.initializers().forEach((name, constant) -> types.put(name, constant.type()));
    for (List<ValueInfo> infos : List.of(graph.inputs(), graph.valueInfos(), graph.outputs())) {
      for (ValueInfo info : infos) {
        if (info.type() == ElementType.UNDEFINED) {
          continue;
        }
        ElementType other = types.putIfAbsent(info.name(), info.type());
        if (other != null && other != info.type()) {
          throw Refusal.of(
              "the value "
                  + info.name()
                  + " is declared with the types "
                  + other
                  + " and "
                  + info.type()
                  + "; give it one");
        }
      }
    }
  }

  private void inputsTyped(OnnxGraph graph) {
    for (ValueInfo input : graph.inputs()) {
      if (!input.typed()) {
        throw Refusal.of("the input " + input.name() + " has no type; declare its type and shape");
      }
    }
  }
}
