package dev.sidefade.onnx;

import dev.sidefade.tensor.BadInputException;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * A constant tensor of a model. Immutable. Elements are read only when they are asked for, from
 * wherever the file has them: raw bytes, a typed list, or an external file.
 */
public final class Initializer {
  private static final ValueLayout.OfFloat FLOAT =
      ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ValueLayout.OfLong LONG =
      ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ValueLayout.OfDouble DOUBLE =
      ValueLayout.JAVA_DOUBLE_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ValueLayout.OfInt INT =
      ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ValueLayout.OfShort SHORT =
      ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  private final String name;
  private final ElementType type;
  private final long[] dims;
  private final TensorData data;
  private final List<RawField> fields;

  /**
   * {@code fields} hold the whole encoded tensor but for raw elements, {@code data} where its
   * elements are.
   */
  Initializer(String name, ElementType type, long[] dims, TensorData data, List<RawField> fields) {
    this.name = name;
    this.type = type;
    this.dims = dims;
    this.data = data;
    this.fields = List.copyOf(fields);
  }

  /**
   * {@return a tensor of the given elements, which are not copied and must not be changed
   * afterwards}
   *
   * @param name of the value
   * @param type type of the elements
   * @param data little-endian elements, row-major; as many bytes as type and shape say
   * @param dims dimensions, outermost first; none for a scalar
   */
  public static Initializer of(String name, ElementType type, MemorySegment data, long... dims) {
    if (data.byteSize() != type.bytes(product(name, dims))) {
      throw new IllegalArgumentException(
          "tensor %s of type %s and shape %s cannot hold %d bytes"
              .formatted(name, type, Arrays.toString(dims), data.byteSize()));
    }
    ProtoWriter message = new ProtoWriter();
    for (long dim : dims) {
      message.varint(1, dim);
    }
    message.varint(2, type.code());
    message.string(8, name);
    TensorData raw = new TensorData.Raw(data.asReadOnly());
    return new Initializer(name, type, dims.clone(), raw, message.toFields());
  }

  /**
   * {@return a FLOAT tensor; {@code values} are copied} No {@code dims} makes a scalar of one
   * value.
   *
   * @param name of the value
   * @param values the values
   * @param dims dimensions, outermost first
   */
  public static Initializer floats(String name, float[] values, long... dims) {
    byte[] bytes = new byte[Math.multiplyExact(values.length, 4)];
    MemorySegment.copy(values, 0, MemorySegment.ofArray(bytes), FLOAT, 0, values.length);
    return of(name, ElementType.FLOAT, MemorySegment.ofArray(bytes), dims);
  }

  /**
   * {@return an INT64 tensor; {@code values} are copied} No {@code dims} makes a scalar of one
   * value.
   *
   * @param name of the value
   * @param values the values
   * @param dims dimensions, outermost first
   */
  public static Initializer longs(String name, long[] values, long... dims) {
    byte[] bytes = new byte[Math.multiplyExact(values.length, 8)];
    MemorySegment.copy(values, 0, MemorySegment.ofArray(bytes), LONG, 0, values.length);
    return of(name, ElementType.INT64, MemorySegment.ofArray(bytes), dims);
  }

  /** {@return name of the value that holds this tensor} */
  public String name() {
    return name;
  }

  /** {@return type of each element} */
  public ElementType type() {
    return type;
  }

  /** {@return a copy of the dimensions, outermost first; empty for a scalar} */
  public long[] dims() {
    return dims.clone();
  }

  /** {@return number of elements} */
  public long size() {
    return product(name, dims);
  }

  /** {@return number of bytes of {@link #data}} */
  public long byteSize() {
    return type.bytes(size());
  }

  /** {@return whether the elements lie in a file beside the model} */
  public boolean external() {
    return data instanceof TensorData.External;
  }

  /**
   * {@return whether the elements lie in this file, beside the model}
   *
   * @param file need not exist
   * @throws IOException if the files cannot be compared
   */
  public boolean liesIn(Path file) throws IOException {
    return data instanceof TensorData.External e && e.folder().isSameFile(name, e.location(), file);
  }

  /**
   * {@return the elements, little-endian and row-major, read-only} The segment need not be aligned:
   * use unaligned layouts.
   *
   * @throws BadInputException if the file holds another number of elements than the shape says, or
   *     external data cannot be reached
   */
  public MemorySegment data() {
    if (type.bits() == 0) {
      throw Refusal.of(
          "tensor " + name + " of type " + type + " has no raw elements; a numeric one is needed");
    }
    checkLength();
    return switch (data) {
      case TensorData.Raw(MemorySegment bytes) -> bytes.asReadOnly();
      case TensorData.Typed typed -> typed.decode(name, type, byteSize()).asReadOnly();
      case TensorData.External(ExternalFolder folder, String location, long offset, long _) ->
          folder.bytes(name, location, offset, byteSize());
    };
  }

  /** {@return the elements of a FLOAT, FLOAT16, BFLOAT16 or DOUBLE tensor as floats, row-major} */
  public float[] floats() {
    MemorySegment bytes = data();
    float[] values = new float[arraySize()];
    for (int i = 0; i < values.length; i++) {
      values[i] =
          switch (type) {
            case FLOAT -> bytes.get(FLOAT, 4L * i);
            case DOUBLE -> (float) bytes.get(DOUBLE, 8L * i);
            case FLOAT16 -> Float.float16ToFloat(bytes.get(SHORT, 2L * i));
            case BFLOAT16 -> Float.intBitsToFloat(bytes.get(SHORT, 2L * i) << 16);
            default -> throw wrongType("floating-point");
          };
    }
    return values;
  }

  /** {@return the elements of an integer or BOOL tensor of at least 8 bits as longs, row-major} */
  public long[] longs() {
    MemorySegment bytes = data();
    long[] values = new long[arraySize()];
    for (int i = 0; i < values.length; i++) {
      values[i] =
          switch (type) {
            case INT64, UINT64 -> bytes.get(LONG, 8L * i);
            case INT32 -> bytes.get(INT, 4L * i);
            case UINT32 -> Integer.toUnsignedLong(bytes.get(INT, 4L * i));
            case INT16 -> bytes.get(SHORT, 2L * i);
            case UINT16 -> Short.toUnsignedLong(bytes.get(SHORT, 2L * i));
            case INT8 -> bytes.get(ValueLayout.JAVA_BYTE, i);
            case UINT8, BOOL -> Byte.toUnsignedLong(bytes.get(ValueLayout.JAVA_BYTE, i));
            default -> throw wrongType("integer");
          };
    }
    return values;
  }

  /**
   * {@return the same tensor under another name}
   *
   * @param other the new name
   */
  public Initializer withName(String other) {
    ProtoWriter named = new ProtoWriter();
    named.string(8, other);
    List<RawField> renamed = new ArrayList<>(RawField.without(fields, 8));
    renamed.addAll(named.toFields());
    return new Initializer(other, type, dims, data, renamed);
  }

  /** The message of this tensor with its elements in it. */
  ProtoWriter encode() {
    return switch (data) {
      case TensorData.Raw(MemorySegment bytes) -> encodeRaw(fields, bytes);
      case TensorData.Typed _ -> new ProtoWriter(fields);
      case TensorData.External _ -> encodeRaw(RawField.without(fields, 9, 13, 14), data());
    };
  }

  private static ProtoWriter encodeRaw(List<RawField> others, MemorySegment elements) {
    ProtoWriter message = new ProtoWriter(others);
    message.bytes(9, elements);
    return message;
  }

  /** The fields of this tensor that do not hold its elements or say where they are. */
  List<RawField> fieldsWithoutElements() {
    return RawField.without(fields, 4, 5, 6, 7, 9, 10, 11, 13, 14);
  }

  /**
   * Refuses a tensor whose elements do not fill its shape, as far as can be seen without reading
   * them.
   */
  void checkLength() {
    long stored =
        switch (data) {
          case TensorData.Raw(MemorySegment bytes) -> bytes.byteSize();
          case TensorData.External external when external.length() >= 0 -> external.length();
          default -> byteSize();
        };
    if (type.bits() > 0 && stored != byteSize()) {
      throw Refusal.of(
          "tensor %s of type %s and shape %s must have %d bytes but has %d; export the model again"
              .formatted(name, type, Arrays.toString(dims), byteSize(), stored));
    }
  }

  /** Refuses external data that is missing or lies outside the model's folder. */
  void checkReachable() throws IOException {
    if (data instanceof TensorData.External external && external.folder().exists()) {
      long length = external.length() >= 0 ? external.length() : byteSize();
      external.folder().check(name, external.location(), external.offset(), length);
    }
  }

  private int arraySize() {
    if (size() > Integer.MAX_VALUE - 8) {
      throw Refusal.of(
          "tensor "
              + name
              + " of "
              + size()
              + " elements is too large for one array; take a smaller model");
    }
    return (int) size();
  }

  private BadInputException wrongType(String wanted) {
    return Refusal.of(
        "tensor " + name + " has type " + type + " where a " + wanted + " one is needed");
  }

  /** Number of elements of a shape, which must be no more than a long can count. */
  static long product(String name, long[] dims) {
    long product = 1;
    try {
      for (long dim : dims) {
        if (dim < 0) {
          throw new ArithmeticException();
        }
        product = Math.multiplyExact(product, dim);
      }
      // the widest element has 128 bits
      Math.multiplyExact(product, 128);
    } catch (ArithmeticException e) {
      throw Refusal.of(
          "tensor "
              + name
              + " has the impossible shape "
              + Arrays.toString(dims)
              + "; export the model again");
    }
    return product;
  }

  @Override
  public String toString() {
    return name + ": " + type + Arrays.toString(dims);
  }
}
