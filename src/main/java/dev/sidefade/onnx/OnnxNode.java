package dev.sidefade.onnx;

import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;

/**
 * One operation of a graph. Mutable; it belongs to the graph that holds it: to use it in another,
 * {@link #copy} it.
 */
public final class OnnxNode {
  private final TrackedList<String> inputs = new TrackedList<>(this::changed);
  private final TrackedList<String> outputs = new TrackedList<>(this::changed);
  private final Map<String, Attribute> attributes = new LinkedHashMap<>();
  private final List<RawField> kept;

  /** These are null where the file does not have them, which means the same as empty. */
  private @Nullable String name;

  private @Nullable String opType;
  private @Nullable String domain;
  private @Nullable OnnxGraph graph;

  OnnxNode(
      List<RawField> kept,
      @Nullable String name,
      @Nullable String opType,
      @Nullable String domain) {
    this.name = name;
    this.opType = opType;
    this.domain = domain;
    this.kept = List.copyOf(kept);
  }

  /**
   * A node of the default domain that is in no graph yet.
   *
   * @param name of the node
   * @param opType name of the operator
   * @param inputs names of the values that go in; an empty one is absent
   * @param outputs names of the values that come out
   */
  public OnnxNode(String name, String opType, List<String> inputs, List<String> outputs) {
    this(List.of(), name, opType, null);
    this.inputs.addAll(inputs);
    this.outputs.addAll(outputs);
  }

  /** {@return name of the node, often unique; empty where it has none} */
  public String name() {
    return orEmpty(name);
  }

  /**
   * Gives the node another name; names need not be unique.
   *
   * @param name of the node
   */
  public void setName(String name) {
    this.name = name;
  }

  /** {@return the operator, such as {@code MatMul}} */
  public String opType() {
    return orEmpty(opType);
  }

  /**
   * Makes the node another operator; its attributes stay.
   *
   * @param opType name of the operator
   */
  public void setOpType(String opType) {
    this.opType = opType;
  }

  /**
   * {@return where the operator is defined: empty for ONNX itself, whatever way the file spells
   * that}
   */
  public String domain() {
    return OpsetImport.plain(domain);
  }

  /**
   * Takes the operator from another domain, which the model must import.
   *
   * @param domain where the operator is defined; empty for ONNX itself
   */
  public void setDomain(String domain) {
    this.domain = domain;
  }

  /**
   * {@return whether this is an operator of ONNX itself of the given type}
   *
   * @param type name of the operator
   */
  public boolean is(String type) {
    return opType().equals(type) && domain().isEmpty();
  }

  /**
   * {@return names of the values that go in, to be edited freely; an empty name is an absent
   * optional input}
   */
  public List<String> inputs() {
    return inputs;
  }

  /**
   * {@return name of input {@code i}, empty where it is absent}
   *
   * @param i place among its kind, from 0
   */
  public String input(int i) {
    return i < inputs.size() ? inputs.get(i) : "";
  }

  /**
   * {@return names of the values that come out, to be edited freely; an empty name is one that
   * nobody wants}
   */
  public List<String> outputs() {
    return outputs;
  }

  /**
   * {@return name of output {@code i}, empty where it is absent}
   *
   * @param i place among its kind, from 0
   */
  public String output(int i) {
    return i < outputs.size() ? outputs.get(i) : "";
  }

  /** {@return all attributes in the order of the file} */
  public Collection<Attribute> attributes() {
    return Collections.unmodifiableCollection(attributes.values());
  }

  /**
   * {@return the attribute of the given name, of whatever kind}
   *
   * @param attribute name of the attribute
   */
  public Optional<Attribute> attribute(String attribute) {
    return Optional.ofNullable(attributes.get(attribute));
  }

  /**
   * {@return value of an integer attribute; empty where it is absent or of another kind}
   *
   * @param attribute name of the attribute
   */
  public OptionalLong intAttribute(String attribute) {
    return valueOf(attribute) instanceof AttributeValue.OfLong(long value)
        ? OptionalLong.of(value)
        : OptionalLong.empty();
  }

  /**
   * {@return value of a float attribute; empty where it is absent or of another kind}
   *
   * @param attribute name of the attribute
   */
  public OptionalDouble floatAttribute(String attribute) {
    return valueOf(attribute) instanceof AttributeValue.OfFloat(float value)
        ? OptionalDouble.of(value)
        : OptionalDouble.empty();
  }

  /**
   * {@return value of a text attribute; empty where it is absent or of another kind}
   *
   * @param attribute name of the attribute
   */
  public Optional<String> stringAttribute(String attribute) {
    return valueOf(attribute) instanceof AttributeValue.OfString(String value)
        ? Optional.of(value)
        : Optional.empty();
  }

  /**
   * {@return values of an attribute of integers; empty where it is absent or of another kind}
   *
   * @param attribute name of the attribute
   */
  public Optional<long[]> intsAttribute(String attribute) {
    return valueOf(attribute) instanceof AttributeValue.OfLongs(List<Long> values)
        ? Optional.of(values.stream().mapToLong(Long::longValue).toArray())
        : Optional.empty();
  }

  /**
   * {@return the tensor of an attribute; empty where it is absent or of another kind}
   *
   * @param attribute name of the attribute
   */
  public Optional<Initializer> tensorAttribute(String attribute) {
    return valueOf(attribute) instanceof AttributeValue.OfTensor(Initializer value)
        ? Optional.of(value)
        : Optional.empty();
  }

  /**
   * Adds an attribute or takes the place of the one of that name.
   *
   * @param attribute the attribute
   */
  public void setAttribute(Attribute attribute) {
    attributes.put(attribute.name(), attribute);
    changed();
  }

  /**
   * Removes an attribute if it is there.
   *
   * @param attribute name of the attribute
   */
  public void removeAttribute(String attribute) {
    attributes.remove(attribute);
    changed();
  }

  /** {@return graphs nested in attributes, as in {@code If} and {@code Loop}} */
  public List<OnnxGraph> subgraphs() {
    List<OnnxGraph> graphs = new ArrayList<>();
    attributes.values().forEach(attribute -> graphs.addAll(attribute.graphs()));
    return graphs;
  }

  /** {@return the same node, in no graph yet; edits of one do not show in the other} */
  public OnnxNode copy() {
    OnnxNode copy = new OnnxNode(kept, name, opType, domain);
    copy.inputs.addAll(inputs);
    copy.outputs.addAll(outputs);
    attributes.values().forEach(attribute -> copy.setAttribute(attribute.copy()));
    return copy;
  }

  void attachTo(OnnxGraph owner) {
    if (graph != null && graph != owner && graph.holds(this)) {
      throw new IllegalArgumentException(this + " belongs to another graph; add a copy of it");
    }
    graph = owner;
  }

  List<RawField> kept() {
    return kept;
  }

  @Nullable String nameOrNull() {
    return name;
  }

  @Nullable String opTypeOrNull() {
    return opType;
  }

  @Nullable String domainOrNull() {
    return domain;
  }

  private @Nullable AttributeValue valueOf(String attribute) {
    Attribute found = attributes.get(attribute);
    return found == null ? null : found.value();
  }

  private void changed() {
    if (graph != null) {
      graph.changed();
    }
  }

  private static String orEmpty(@Nullable String text) {
    return text == null ? "" : text;
  }

  /** How errors name this node: by its operator and name, or its first output. */
  @Override
  public String toString() {
    String label = name().isEmpty() ? "with output " + output(0) : name();
    return "node " + label + " (" + opType() + ")";
  }
}
