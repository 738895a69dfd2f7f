package dev.sidefade.onnx;

import dev.sidefade.tensor.BadInputException;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * Surgery on graphs. Every operation either succeeds or throws {@link BadInputException} naming
 * what is missing and leaves the graph as it was.
 */
public final class GraphEdit {
  private GraphEdit() {}

  /**
   * Makes values come out of the model, after its own outputs; those that are outputs already are
   * left alone. A value whose type is not declared becomes an untyped output, whose type ONNX
   * Runtime infers.
   *
   * @param model the model
   * @param values names of the values
   */
  public static void exposeOutputs(OnnxModel model, List<String> values) {
    OnnxGraph graph = model.graph();
    Set<String> known = definedValues(graph);
    refuseMissing("to expose", values.stream().filter(value -> !known.contains(value)).toList());
    for (String value : values) {
      if (graph.outputs().stream().noneMatch(output -> output.name().equals(value))) {
        graph.outputs().add(graph.infoOf(value).orElseGet(() -> ValueInfo.untyped(value)));
      }
    }
  }

  /**
   * Turns a constant into an input that must be fed. The initializer is deleted, for ONNX Runtime's
   * Java API cannot feed an input that has one.
   *
   * @param graph the graph, with what is nested in it
   * @param initializer its name
   * @return the initializer, to be fed or put back with {@link #demoteToInitializer}
   */
  public static Initializer promoteToInput(OnnxGraph graph, String initializer) {
    Initializer constant = graph.initializers().get(initializer);
    if (constant == null) {
      throw missing("initializer", initializer);
    }
    graph.initializers().remove(initializer);
    graph.inputs().removeIf(input -> input.name().equals(initializer));
    graph.inputs().add(declarationOf(constant));
    return constant;
  }

  /**
   * Turns an input into a constant; type and static dimensions must be those of the input.
   *
   * @param graph the graph, with what is nested in it
   * @param constant the constant
   */
  public static void demoteToInitializer(OnnxGraph graph, Initializer constant) {
    ValueInfo input =
        graph.inputs().stream()
            .filter(info -> info.name().equals(constant.name()))
            .findFirst()
            .orElseThrow(() -> missing("input", constant.name()));
    if (!fits(constant, input)) {
      throw Refusal.of(
          "initializer "
              + constant
              + " does not fit input "
              + input
              + "; give it that type and shape");
    }
    graph.inputs().remove(input);
    graph.addInitializer(constant);
  }

  /**
   * Replaces a constant by one of the same name, which may have another type and shape.
   *
   * @param graph the graph, with what is nested in it
   * @param constant the constant
   */
  public static void replaceInitializer(OnnxGraph graph, Initializer constant) {
    if (graph.initializers().replace(constant.name(), constant) == null) {
      throw missing("initializer", constant.name());
    }
    for (List<ValueInfo> infos : List.of(graph.inputs(), graph.outputs(), graph.valueInfos())) {
      infos.replaceAll(
          info -> info.name().equals(constant.name()) ? declarationOf(constant) : info);
    }
  }

  /**
   * Removes nodes, constants and declarations that no output needs, not even through nested graphs.
   * An input stays, unless it is the default of a constant that goes.
   *
   * @param graph the graph, with what is nested in it
   */
  public static void removeDeadNodes(OnnxGraph graph) {
    Set<String> needed = new HashSet<>();
    List<String> open = new ArrayList<>();
    graph.outputs().forEach(output -> open.add(output.name()));
    Set<OnnxNode> live = new HashSet<>();
    while (!open.isEmpty()) {
      String value = open.removeLast();
      if (needed.add(value)) {
        graph
            .producerOf(value)
            .filter(live::add)
            .ifPresent(node -> open.addAll(valuesUsedBy(node)));
      }
    }
    replaceNodes(graph, graph.nodes().stream().filter(live::contains).toList());
    graph
        .inputs()
        .removeIf(input ->
            graph.initializers().containsKey(input.name()) && !needed.contains(input.name()));
    graph.initializers().keySet().retainAll(needed);
    Set<String> stillThere = new HashSet<>(graph.initializers().keySet());
    graph.nodes().forEach(node -> stillThere.addAll(node.outputs()));
    graph.inputs().forEach(input -> stillThere.add(input.name()));
    graph.valueInfos().removeIf(info -> !stillThere.contains(info.name()));
  }

  /**
   * Puts every node behind those that it needs, in nested graphs too; nodes that are in order stay
   * in order.
   *
   * @param graph the graph, with what is nested in it
   * @throws BadInputException if nodes need each other in a circle
   */
  public static void topologicalSort(OnnxGraph graph) {
    List<OnnxNode> sorted = TopologicalOrder.of(graph);
    for (OnnxNode node : graph.nodes()) {
      node.subgraphs().forEach(GraphEdit::topologicalSort);
    }
    replaceNodes(graph, sorted);
  }

  /**
   * {@return a model of the part between some values and others, with the same names} An input may
   * be an input, a constant or a value in between, whose type must be declared in {@link
   * OnnxGraph#valueInfos} for ONNX Runtime to take the result.
   *
   * @param model the model
   * @param inputs names of the values to feed
   * @param outputs names of the values to compute
   * @throws BadInputException naming all values that are missing, or the inputs that the outputs
   *     need besides those given
   */
  public static OnnxModel extract(OnnxModel model, List<String> inputs, List<String> outputs) {
    return Extraction.extract(model, inputs, outputs);
  }

  /**
   * {@return the value that {@code value} is a copy of, through any number of {@code Identity}
   * nodes}
   *
   * @param graph the graph, with what is nested in it
   * @param value name of the value
   */
  public static String resolveIdentity(OnnxGraph graph, String value) {
    return Constants.resolveIdentity(graph, value);
  }

  /**
   * {@return the constant behind a value, under that value's name: an initializer or a {@code
   * Constant} node's tensor, number or numbers, directly or through {@code Identity}} Empty where
   * the value is computed, fed or a constant of another kind.
   *
   * @param graph the graph, with what is nested in it
   * @param value name of the value
   */
  public static Optional<Initializer> constantValue(OnnxGraph graph, String value) {
    return Constants.constantValue(graph, value);
  }

  /**
   * Makes every user of a value use another one instead, and an output too; nested graphs included.
   *
   * @param graph the graph, with what is nested in it
   * @param value name of the value
   * @param replacement name of the other value
   */
  public static void replaceUses(OnnxGraph graph, String value, String replacement) {
    for (OnnxNode node : graph.usersOf(value)) {
      node.inputs().replaceAll(input -> input.equals(value) ? replacement : input);
      for (OnnxGraph nested : node.subgraphs()) {
        if (Captures.of(nested).contains(value)) {
          replaceUses(nested, value, replacement);
        }
      }
    }
    graph
        .outputs()
        .replaceAll(info -> info.name().equals(value) ? info.withName(replacement) : info);
  }

  /** Names of all values of a graph: inputs, constants and outputs of nodes. */
  static Set<String> definedValues(OnnxGraph graph) {
    Set<String> defined = new HashSet<>(graph.initializers().keySet());
    defined.addAll(graph.sparseInitializers());
    graph.inputs().forEach(input -> defined.add(input.name()));
    graph.nodes().forEach(node -> defined.addAll(node.outputs()));
    defined.remove("");
    return defined;
  }

  /** Inputs of a node and what graphs nested in it take from outside. */
  static List<String> valuesUsedBy(OnnxNode node) {
    List<String> used = new ArrayList<>(node.inputs());
    used.removeIf(String::isEmpty);
    used.addAll(Captures.of(node));
    return used;
  }

  static ValueInfo declarationOf(Initializer constant) {
    long[] dims = constant.dims();
    Object[] boxed = new Object[dims.length];
    for (int i = 0; i < dims.length; i++) {
      boxed[i] = dims[i];
    }
    return ValueInfo.of(constant.name(), constant.type(), boxed);
  }

  static void refuseMissing(String what, List<String> missing) {
    if (!missing.isEmpty()) {
      throw Refusal.of(
          "the model has no value named "
              + String.join(", ", missing)
              + " "
              + what
              + "; look at the names of its values");
    }
  }

  private static void replaceNodes(OnnxGraph graph, List<OnnxNode> nodes) {
    graph.nodes().clear();
    graph.nodes().addAll(nodes);
  }

  private static boolean fits(Initializer constant, ValueInfo input) {
    if (input.typed() && input.type() != constant.type()) {
      return false;
    }
    if (!input.hasShape()) {
      return true;
    }
    long[] dims = constant.dims();
    if (dims.length != input.dims().size()) {
      return false;
    }
    for (int i = 0; i < dims.length; i++) {
      if (input.dims().get(i) instanceof Dimension.Static(long size) && size != dims[i]) {
        return false;
      }
    }
    return true;
  }

  private static BadInputException missing(String what, String name) {
    return Refusal.of(
        "the model has no " + what + " named " + name + "; look at the names of its values");
  }
}
