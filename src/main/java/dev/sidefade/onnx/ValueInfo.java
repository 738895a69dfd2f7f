package dev.sidefade.onnx;

import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What a model declares about a value: its name, and perhaps element type and shape. Immutable.
 * Outputs may be untyped: ONNX Runtime infers their types.
 */
public final class ValueInfo {
  private final String name;
  private final ElementType type;
  private final boolean typed;
  private final @Nullable List<Dimension> dims;
  private final List<RawField> fields;

  /** {@code dims} is null where no shape is declared; {@code fields} hold the whole declaration. */
  ValueInfo(
      String name,
      ElementType type,
      boolean typed,
      @Nullable List<Dimension> dims,
      List<RawField> fields) {
    this.name = name;
    this.type = type;
    this.typed = typed;
    this.dims = dims == null ? null : List.copyOf(dims);
    this.fields = List.copyOf(fields);
  }

  /**
   * {@return a declaration of nothing but a name}
   *
   * @param name of the value
   */
  public static ValueInfo untyped(String name) {
    ProtoWriter message = new ProtoWriter();
    message.string(1, name);
    return new ValueInfo(name, ElementType.UNDEFINED, false, null, message.toFields());
  }

  /**
   * {@return a tensor of a known rank}
   *
   * @param name of the value
   * @param type type of the elements
   * @param dims a Long for a static dimension, a String for a symbolic one, or a {@link Dimension}
   */
  public static ValueInfo of(String name, ElementType type, Object... dims) {
    List<Dimension> shape = Arrays.stream(dims).map(Dimension::of).toList();
    ProtoWriter shapeMessage = new ProtoWriter();
    for (Dimension dim : shape) {
      ProtoWriter one = new ProtoWriter();
      switch (dim) {
        case Dimension.Static(long size) -> one.varint(1, size);
        case Dimension.Symbolic(String symbol) -> one.string(2, symbol);
        case Dimension.Unknown() -> {}
      }
      shapeMessage.message(1, one);
    }
    ProtoWriter tensor = new ProtoWriter();
    tensor.varint(1, type.code());
    tensor.message(2, shapeMessage);
    ProtoWriter typeMessage = new ProtoWriter();
    typeMessage.message(1, tensor);
    ProtoWriter message = new ProtoWriter();
    message.string(1, name);
    message.message(2, typeMessage);
    return new ValueInfo(name, type, true, shape, message.toFields());
  }

  /** {@return name of the value} */
  public String name() {
    return name;
  }

  /**
   * {@return element type; {@link ElementType#UNDEFINED} where none is declared or the value is no
   * tensor}
   */
  public ElementType type() {
    return type;
  }

  /** {@return whether any type is declared, be it of a tensor, a sequence, a map or an optional} */
  public boolean typed() {
    return typed;
  }

  /** {@return whether the rank is declared} */
  public boolean hasShape() {
    return dims != null;
  }

  /**
   * {@return dimensions, outermost first; empty for a scalar and where {@link #hasShape} is false}
   */
  public List<Dimension> dims() {
    return dims == null ? List.of() : dims;
  }

  /**
   * {@return the same declaration for another value}
   *
   * @param other the new name
   */
  public ValueInfo withName(String other) {
    ProtoWriter message = new ProtoWriter(RawField.without(fields, 1));
    message.string(1, other);
    return new ValueInfo(other, type, typed, dims, message.toFields());
  }

  List<RawField> fields() {
    return fields;
  }

  @Override
  public String toString() {
    return name + ": " + type + (dims == null ? "" : dims.toString());
  }
}
