package dev.sidefade.onnx;

import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;

/** A named constant of a node. Immutable but for the nodes of nested graphs. */
public final class Attribute {
  static final int FLOAT = 1;
  static final int INT = 2;
  static final int STRING = 3;
  static final int TENSOR = 4;
  static final int GRAPH = 5;
  static final int FLOATS = 6;
  static final int INTS = 7;
  static final int STRINGS = 8;
  static final int TENSORS = 9;
  static final int GRAPHS = 10;

  private final String name;
  private final AttributeValue value;
  private final List<RawField> fields;

  /** {@code fields} hold the whole encoded attribute but for tensors and graphs. */
  Attribute(String name, AttributeValue value, List<RawField> fields) {
    this.name = name;
    this.value = value;
    this.fields = List.copyOf(fields);
  }

  /**
   * {@return a whole number}
   *
   * @param name of the attribute
   * @param value its value
   */
  public static Attribute of(String name, long value) {
    ProtoWriter message = named(name);
    message.varint(3, value);
    return complete(name, new AttributeValue.OfLong(value), message, INT);
  }

  /**
   * {@return a number}
   *
   * @param name of the attribute
   * @param value its value
   */
  public static Attribute of(String name, float value) {
    ProtoWriter message = named(name);
    message.float32(2, value);
    return complete(name, new AttributeValue.OfFloat(value), message, FLOAT);
  }

  /**
   * {@return a text}
   *
   * @param name of the attribute
   * @param value its value
   */
  public static Attribute of(String name, String value) {
    ProtoWriter message = named(name);
    message.string(4, value);
    return complete(name, new AttributeValue.OfString(value), message, STRING);
  }

  /**
   * {@return a list of integers}
   *
   * @param name of the attribute
   * @param values its values
   */
  public static Attribute ints(String name, long... values) {
    ProtoWriter message = named(name);
    for (long value : values) {
      message.varint(8, value);
    }
    List<Long> list = Arrays.stream(values).boxed().toList();
    return complete(name, new AttributeValue.OfLongs(list), message, INTS);
  }

  /**
   * {@return a list of floats}
   *
   * @param name of the attribute
   * @param values its values
   */
  public static Attribute floats(String name, float... values) {
    ProtoWriter message = named(name);
    Float[] list = new Float[values.length];
    for (int i = 0; i < values.length; i++) {
      message.float32(7, values[i]);
      list[i] = values[i];
    }
    return complete(name, new AttributeValue.OfFloats(List.of(list)), message, FLOATS);
  }

  /**
   * {@return a list of texts}
   *
   * @param name of the attribute
   * @param values its values
   */
  public static Attribute strings(String name, String... values) {
    ProtoWriter message = named(name);
    for (String value : values) {
      byte[] text = value.getBytes(StandardCharsets.UTF_8);
      message.bytes(9, MemorySegment.ofArray(text));
    }
    return complete(name, new AttributeValue.OfStrings(List.of(values)), message, STRINGS);
  }

  /**
   * {@return a tensor, as in {@code Constant}}
   *
   * @param name of the attribute
   * @param value its value
   */
  public static Attribute tensor(String name, Initializer value) {
    return complete(name, new AttributeValue.OfTensor(value), named(name), TENSOR);
  }

  /**
   * {@return a nested graph, which may use values of the graphs around it}
   *
   * @param name of the attribute
   * @param value its value
   */
  public static Attribute graph(String name, OnnxGraph value) {
    return complete(name, new AttributeValue.OfGraph(value), named(name), GRAPH);
  }

  /** {@return what the operator calls this attribute} */
  public String name() {
    return name;
  }

  /** {@return what it holds} */
  public AttributeValue value() {
    return value;
  }

  /** {@return graphs nested in this attribute; most have none} */
  public List<OnnxGraph> graphs() {
    return switch (value) {
      case AttributeValue.OfGraph(OnnxGraph graph) -> List.of(graph);
      case AttributeValue.OfGraphs(List<OnnxGraph> graphs) -> graphs;
      default -> List.of();
    };
  }

  /** Tensors in this attribute; most have none. */
  List<Initializer> tensors() {
    return switch (value) {
      case AttributeValue.OfTensor(Initializer tensor) -> List.of(tensor);
      case AttributeValue.OfTensors(List<Initializer> tensors) -> tensors;
      default -> List.of();
    };
  }

  /** An attribute whose graphs can be edited without changing this one's. */
  Attribute copy() {
    return switch (value) {
      case AttributeValue.OfGraph(OnnxGraph graph) ->
          new Attribute(name, new AttributeValue.OfGraph(graph.copy()), fields);
      case AttributeValue.OfGraphs(List<OnnxGraph> graphs) ->
          new Attribute(
              name,
              new AttributeValue.OfGraphs(graphs.stream().map(OnnxGraph::copy).toList()),
              fields);
      default -> this;
    };
  }

  List<RawField> fields() {
    return fields;
  }

  private static ProtoWriter named(String name) {
    ProtoWriter message = new ProtoWriter();
    message.string(1, name);
    return message;
  }

  private static Attribute complete(
      String name, AttributeValue value, ProtoWriter message, int type) {
    message.varint(20, type);
    return new Attribute(name, value, message.toFields());
  }

  @Override
  public String toString() {
    return name + " = " + value;
  }
}
