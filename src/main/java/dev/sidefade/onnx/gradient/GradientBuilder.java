package dev.sidefade.onnx.gradient;

import dev.sidefade.onnx.Attribute;
import dev.sidefade.onnx.ElementType;
import dev.sidefade.onnx.Initializer;
import dev.sidefade.onnx.OnnxNode;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.IntStream;

/**
 * Emits the nodes and constants of a gradient graph. All methods return the name of the value that
 * they make. Hides what changed between opsets.
 */
final class GradientBuilder {
  private final ForwardValues values;
  private final long opset;
  private final Set<String> names;
  private final List<OnnxNode> nodes = new ArrayList<>();

  /** {@code Shape} nodes of forward values, by the value. */
  private final Map<String, OnnxNode> shapes = new LinkedHashMap<>();

  private final Map<String, Initializer> constants = new LinkedHashMap<>();

  GradientBuilder(ForwardValues values, long opset) {
    this.values = values;
    this.opset = opset;
    this.names = values.names();
  }

  ForwardValues values() {
    return values;
  }

  long opset() {
    return opset;
  }

  /** All nodes so far, each behind those that it needs, but for those of {@link #shapeNodes}. */
  List<OnnxNode> nodes() {
    return nodes;
  }

  /** Nodes that compute shapes of forward values and belong to the forward graph. */
  List<OnnxNode> shapeNodes() {
    return List.copyOf(shapes.values());
  }

  Map<String, Initializer> constants() {
    Map<String, Initializer> byName = new LinkedHashMap<>();
    constants.values().forEach(constant -> byName.put(constant.name(), constant));
    return byName;
  }

  /** A name that nothing has: {@code prefix}, or that with a number behind it. */
  String uniqueName(String prefix) {
    String candidate = prefix;
    for (int number = 1; !names.add(candidate); number++) {
      candidate = prefix + "_" + number;
    }
    return candidate;
  }

  String op(String type, String... inputs) {
    return op(type, List.of(inputs));
  }

  /** alpha a b, of matrices that are transposed where 1 is given. */
  String gemm(String a, long transA, String b, long transB, float alpha) {
    return op(
        "Gemm",
        List.of(a, b),
        Attribute.of("transA", transA),
        Attribute.of("transB", transB),
        Attribute.of("alpha", alpha));
  }

  String op(String type, List<String> inputs, Attribute... attributes) {
    String output = uniqueName("sidefade.backward." + nodes.size() + "." + type);
    emit(type, inputs, output, attributes);
    return output;
  }

  /** A node with an output of a given name. */
  void emit(String type, List<String> inputs, String output, Attribute... attributes) {
    OnnxNode node = new OnnxNode(output, type, inputs, List.of(output));
    for (Attribute attribute : attributes) {
      node.setAttribute(attribute);
    }
    nodes.add(node);
  }

  /** A scalar of the floating-point type of a forward value. */
  String scalar(double number, String like) {
    ElementType type = values.type(like);
    return constants
        .computeIfAbsent(
            type + " " + number, _ -> scalar(uniqueName("sidefade.constant"), number, type))
        .name();
  }

  /** A list of int64, [n]. */
  String longs(long... numbers) {
    return constants
        .computeIfAbsent(
            Arrays.toString(numbers),
            _ -> Initializer.longs(uniqueName("sidefade.constant"), numbers, numbers.length))
        .name();
  }

  /** The shape of a forward value, int64 [rank]: a constant, or computed in the forward graph. */
  String shapeOf(String value) {
    long[] dims = values.dims(value);
    if (Arrays.stream(dims).allMatch(dim -> dim >= 0)) {
      return longs(dims);
    }
    return shapes.computeIfAbsent(value, this::shapeNode).output(0);
  }

  /** The size of a forward value along an axis, int64 [1]. */
  String dimOf(String value, int axis) {
    long dim = values.dims(value)[axis];
    return dim >= 0
        ? longs(dim)
        : op("Gather", List.of(shapeOf(value), longs(axis)), Attribute.of("axis", 0));
  }

  /** {@code x} with the shape of a forward value of as many elements. */
  String reshapeLike(String x, String value) {
    long[] dims = values.dims(value);
    long unknown = Arrays.stream(dims).filter(dim -> dim < 0).count();
    boolean empty = Arrays.stream(dims).anyMatch(dim -> dim == 0);
    return op("Reshape", x, unknown <= 1 && !empty ? longs(dims) : shapeOf(value));
  }

  /** {@code x}, which broadcasts to the shape of a forward value, with that shape. */
  String expandLike(String x, String value) {
    return op("Expand", x, shapeOf(value));
  }

  /** Zeros of shape and type of a forward value. */
  String zerosLike(String value) {
    Initializer zero = scalar("value", 0, values.type(value));
    Initializer list = Initializer.of("value", zero.type(), zero.data(), 1);
    return op("ConstantOfShape", List.of(shapeOf(value)), Attribute.tensor("value", list));
  }

  String sum(String x, long[] axes, boolean keepDims) {
    if (axes.length == 0) {
      return x;
    }
    Attribute keep = Attribute.of("keepdims", keepDims ? 1 : 0);
    return opset >= 13
        ? op("ReduceSum", List.of(x, longs(axes)), keep)
        : op("ReduceSum", List.of(x), Attribute.ints("axes", axes), keep);
  }

  /** Means along axes, which stay with size 1. */
  String mean(String x, long[] axes) {
    return opset >= 18
        ? op("ReduceMean", x, longs(axes))
        : op("ReduceMean", List.of(x), Attribute.ints("axes", axes));
  }

  String squeeze(String x, long... axes) {
    return changeRank("Squeeze", x, axes);
  }

  /** {@code axes} are positions in the result. */
  String unsqueeze(String x, long... axes) {
    return changeRank("Unsqueeze", x, axes);
  }

  String transpose(String x, long[] permutation) {
    return op("Transpose", List.of(x), Attribute.ints("perm", permutation));
  }

  /** {@code x} of a known rank with its last two axes exchanged. */
  String transposeLast(String x, int rank) {
    long[] permutation = IntStream.range(0, rank).asLongStream().toArray();
    permutation[rank - 1] = rank - 2L;
    permutation[rank - 2] = rank - 1L;
    return transpose(x, permutation);
  }

  /** {@code x} of a known rank as a matrix whose columns are the last axis. */
  String rows(String x, int rank) {
    return rank == 2 ? x : op("Flatten", List.of(x), Attribute.of("axis", rank - 1));
  }

  String concat(List<String> parts, int axis) {
    return parts.size() == 1 ? parts.getFirst() : op("Concat", parts, Attribute.of("axis", axis));
  }

  String cast(String x, ElementType type) {
    return op("Cast", List.of(x), Attribute.of("to", type.code()));
  }

  /**
   * Sums {@code x} over the axes along which a value was broadcast: from the shape of the result to
   * that of the value. Where neither size is known they are taken to be equal.
   */
  String sumTo(String x, long[] from, long[] to) {
    int extra = from.length - to.length;
    String leading = sum(x, IntStream.range(0, extra).asLongStream().toArray(), false);
    long[] ones =
        IntStream.range(0, to.length)
            .filter(i -> to[i] == 1 && from[extra + i] != 1)
            .asLongStream()
            .toArray();
    return sum(leading, ones, true);
  }

  /** A piece with zeros before and behind it, of the shape of the value. */
  String pad(String value, Contribution.Piece piece) {
    long[] dims = values.dims(value);
    long[] pads = new long[2 * dims.length];
    pads[piece.axis()] = piece.start();
    pads[dims.length + piece.axis()] = dims[piece.axis()] - piece.start() - piece.size();
    return op("Pad", piece.name(), longs(pads));
  }

  /**
   * {@code x}, cut from a forward value, with zeros where the rest of the value was.
   *
   * @param starts where {@code x} begins along each axis, counted from the end where negative
   */
  String padLike(String x, String value, long[] starts) {
    String whole = shapeOf(value);
    String before = longs(starts);
    if (Arrays.stream(starts).anyMatch(start -> start < 0)) {
      String fromEnd = longs(Arrays.stream(starts).map(start -> start < 0 ? 1 : 0).toArray());
      String moved = op("Add", before, op("Mul", fromEnd, whole));
      String zeros = longs(new long[starts.length]);
      // a start that is further from the end than the axis is long means its beginning
      before = op("Where", op("Less", moved, zeros), zeros, moved);
    }
    String after = op("Sub", op("Sub", whole, op("Shape", x)), before);
    return op("Pad", x, concat(List.of(before, after), 0));
  }

  private String changeRank(String type, String x, long[] axes) {
    return opset >= 13
        ? op(type, x, longs(axes))
        : op(type, List.of(x), Attribute.ints("axes", axes));
  }

  private OnnxNode shapeNode(String value) {
    String output = uniqueName("sidefade.shape." + value);
    OnnxNode node = new OnnxNode(output, "Shape", List.of(value), List.of(output));
    values.declare(output, ElementType.INT64, new long[] {values.rank(value)});
    return node;
  }

  private static Initializer scalar(String name, double number, ElementType type) {
    byte[] bytes = new byte[(int) type.bytes(1)];
    MemorySegment data = MemorySegment.ofArray(bytes);
    ByteOrder order = ByteOrder.LITTLE_ENDIAN;
    float single = (float) number;
    switch (type) {
      case DOUBLE -> data.set(ValueLayout.JAVA_DOUBLE_UNALIGNED.withOrder(order), 0, number);
      case FLOAT -> data.set(ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(order), 0, single);
      case FLOAT16 ->
          data.set(
              ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(order), 0, Float.floatToFloat16(single));
      case BFLOAT16 ->
          data.set(
              ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(order),
              0,
              (short) (Float.floatToIntBits(single) >>> 16));
      default -> throw new IllegalArgumentException("gradients are not of type " + type);
    }
    return Initializer.of(name, type, data);
  }
}
