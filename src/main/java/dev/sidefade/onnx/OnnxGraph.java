package dev.sidefade.onnx;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * A graph of nodes that compute values from inputs and initializers. Values are known by their
 * names. Everything can be edited; nothing is checked until {@link ModelCheck#check}. Not safe for
 * use by several threads.
 */
public final class OnnxGraph {
  private final TrackedList<OnnxNode> nodes = new TrackedList<>(this::changed);
  private final Map<String, Initializer> initializers = new LinkedHashMap<>();
  private final List<ValueInfo> inputs = new ArrayList<>();
  private final List<ValueInfo> outputs = new ArrayList<>();
  private final List<ValueInfo> valueInfos = new ArrayList<>();
  private final Set<String> sparseInitializers;
  private final List<RawField> kept;

  /** Null where the file has none. */
  private final @Nullable String name;

  /** How many names were given out for each prefix. */
  private final Map<String, Integer> namesGiven = new HashMap<>();

  /** Null after an edit. */
  private @Nullable ValueIndex index;

  OnnxGraph(@Nullable String name, Set<String> sparseInitializers, List<RawField> kept) {
    this.name = name;
    this.sparseInitializers = Set.copyOf(sparseInitializers);
    this.kept = List.copyOf(kept);
  }

  /**
   * An empty graph.
   *
   * @param name of the graph
   */
  public OnnxGraph(String name) {
    this(name, Set.of(), List.of());
  }

  /** {@return name of the graph; empty where it has none} */
  public String name() {
    return name == null ? "" : name;
  }

  /** {@return the nodes in the order of the file, to be edited freely} */
  public List<OnnxNode> nodes() {
    return nodes;
  }

  /**
   * {@return constants by name in the order of the file, to be edited freely; each key is its
   * value's name}
   */
  public Map<String, Initializer> initializers() {
    return initializers;
  }

  /**
   * {@return every tensor that is stored with the graph: initializers, then those of each node's
   * attributes (as of {@code Constant}) and of the graphs nested in it}
   */
  public List<Initializer> tensors() {
    List<Initializer> all = new ArrayList<>(initializers.values());
    for (OnnxNode node : nodes) {
      node.attributes().forEach(attribute -> all.addAll(attribute.tensors()));
      node.subgraphs().forEach(nested -> all.addAll(nested.tensors()));
    }
    return all;
  }

  /** {@return what must be fed, and in old models also the initializers; to be edited freely} */
  public List<ValueInfo> inputs() {
    return inputs;
  }

  /** {@return the inputs that have no initializer as their default: what must be fed} */
  public List<ValueInfo> fedInputs() {
    return inputs.stream().filter(input -> !initializers.containsKey(input.name())).toList();
  }

  /** {@return what comes out; to be edited freely} */
  public List<ValueInfo> outputs() {
    return outputs;
  }

  /**
   * {@return declared types of values in between; most models have few or none} To be edited
   * freely.
   */
  public List<ValueInfo> valueInfos() {
    return valueInfos;
  }

  /** {@return names of the sparse constants, which are kept but cannot be edited} */
  public Set<String> sparseInitializers() {
    return sparseInitializers;
  }

  /**
   * {@return the node of this graph that computes a value; empty for inputs and initializers}
   *
   * @param value name of the value
   */
  public Optional<OnnxNode> producerOf(String value) {
    return Optional.ofNullable(index().producerOf(value));
  }

  /**
   * {@return the nodes of this graph that use a value, themselves or in graphs nested in them}
   *
   * @param value name of the value
   */
  public List<OnnxNode> usersOf(String value) {
    return index().usersOf(value);
  }

  /**
   * {@return what is declared of a value as input, output or in between}
   *
   * @param value name of the value
   */
  public Optional<ValueInfo> infoOf(String value) {
    for (List<ValueInfo> infos : List.of(inputs, outputs, valueInfos)) {
      for (ValueInfo info : infos) {
        if (info.name().equals(value) && info.typed()) {
          return Optional.of(info);
        }
      }
    }
    return Optional.empty();
  }

  /**
   * Appends a node of the default domain with a name of its own.
   *
   * @param opType name of the operator
   * @param nodeInputs names of the values that go in; an empty one is absent
   * @param nodeOutputs names of the values that come out
   * @param attributes of the node
   * @return the node
   */
  public OnnxNode addNode(
      String opType, List<String> nodeInputs, List<String> nodeOutputs, Attribute... attributes) {
    String label = nodeOutputs.isEmpty() ? opType : nodeOutputs.getFirst();
    OnnxNode node = new OnnxNode(label, opType, nodeInputs, nodeOutputs);
    for (Attribute attribute : attributes) {
      node.setAttribute(attribute);
    }
    nodes.add(node);
    return node;
  }

  /**
   * Appends an input; {@code dims} as in {@link ValueInfo#of}.
   *
   * @param value name of the value
   * @param type type of the elements
   * @param dims dimensions, outermost first
   * @return its declaration
   */
  public ValueInfo addInput(String value, ElementType type, Object... dims) {
    ValueInfo info = ValueInfo.of(value, type, dims);
    inputs.add(info);
    return info;
  }

  /**
   * Appends an output; {@code dims} as in {@link ValueInfo#of}.
   *
   * @param value name of the value
   * @param type type of the elements
   * @param dims dimensions, outermost first
   * @return its declaration
   */
  public ValueInfo addOutput(String value, ElementType type, Object... dims) {
    ValueInfo info = ValueInfo.of(value, type, dims);
    outputs.add(info);
    return info;
  }

  /**
   * Adds a constant or takes the place of the one of that name.
   *
   * @param initializer the constant
   */
  public void addInitializer(Initializer initializer) {
    initializers.put(initializer.name(), initializer);
  }

  /**
   * {@return {@code prefix} if no value or node has that name, here or in nested graphs, else with
   * a number behind it} No name is given out twice.
   *
   * @param prefix what the names begin with
   */
  public String uniqueName(String prefix) {
    int number = namesGiven.getOrDefault(prefix, 0);
    String candidate;
    do {
      candidate = number == 0 ? prefix : prefix + "_" + number;
      number++;
    } while (names(candidate));
    namesGiven.put(prefix, number);
    return candidate;
  }

  /** A graph with the name and the kept fields of this one and nothing in it. */
  OnnxGraph copyWithoutContent() {
    return new OnnxGraph(name, sparseInitializers, kept);
  }

  /** The same graph; edits of one do not show in the other. */
  OnnxGraph copy() {
    OnnxGraph copy = copyWithoutContent();
    nodes.forEach(node -> copy.nodes.add(node.copy()));
    copy.initializers.putAll(initializers);
    copy.inputs.addAll(inputs);
    copy.outputs.addAll(outputs);
    copy.valueInfos.addAll(valueInfos);
    return copy;
  }

  boolean holds(OnnxNode node) {
    for (OnnxNode own : nodes) {
      if (own == node) {
        return true;
      }
    }
    return false;
  }

  void changed() {
    index = null;
  }

  @Nullable String nameOrNull() {
    return name;
  }

  List<RawField> kept() {
    return kept;
  }

  private ValueIndex index() {
    if (index == null) {
      nodes.forEach(node -> node.attachTo(this));
      index = new ValueIndex(nodes);
    }
    return index;
  }

  /** Whether anything here or in nested graphs has this name. */
  private boolean names(String candidate) {
    if (initializers.containsKey(candidate) || sparseInitializers.contains(candidate)) {
      return true;
    }
    for (List<ValueInfo> infos : List.of(inputs, outputs)) {
      if (infos.stream().anyMatch(info -> info.name().equals(candidate))) {
        return true;
      }
    }
    for (OnnxNode node : nodes) {
      if (node.name().equals(candidate)
          || node.inputs().contains(candidate)
          || node.outputs().contains(candidate)
          || node.subgraphs().stream().anyMatch(graph -> graph.names(candidate))) {
        return true;
      }
    }
    return false;
  }
}
