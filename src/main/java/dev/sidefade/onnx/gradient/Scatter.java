package dev.sidefade.onnx.gradient;

import dev.sidefade.onnx.Attribute;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;

/** Gradients of gathering: what was read from one place several times is added up there. */
final class Scatter {
  /** The opset from which ScatterElements and ScatterND can add. */
  private static final long ADDING = 16;

  private Scatter() {}

  /**
   * Gather along an axis with any indices.
   *
   * @param constant the indices, row-major, where they are constant
   */
  static void gather(GradientContext c, int axis, Optional<long[]> constant) {
    GradientBuilder b = c.builder();
    int indexRank = c.values().rank(c.input(1));
    String gradient =
        indexRank == 1 ? c.gradient() : b.op("Reshape", c.gradient(), oneIndexAxis(c, axis));
    String indices = indexRank == 1 ? c.input(1) : b.op("Reshape", c.input(1), b.longs(-1));
    boolean distinct =
        constant.isPresent() && distinct(constant.get(), c.values().dims(c.input(0))[axis]);
    if (b.opset() >= ADDING) {
      c.give(0, scatter(c, axis, indices, gradient, Attribute.of("reduction", "add")));
    } else if (distinct) {
      c.give(0, scatter(c, axis, indices, gradient));
    } else {
      c.give(0, oneHotProduct(c, axis, indices, gradient));
    }
  }

  /** GatherND without batch axes. */
  static void gatherNd(GradientContext c) {
    if (c.builder().opset() < ADDING) {
      throw c.refuse("that needs opset 16 or later");
    }
    if (c.node().intAttribute("batch_dims").orElse(0) != 0) {
      throw c.refuse("it has batch axes");
    }
    String zeros = c.builder().zerosLike(c.input(0));
    c.give(
        0,
        c.builder()
            .op(
                "ScatterND",
                List.of(zeros, c.input(1), c.gradient()),
                Attribute.of("reduction", "add")));
  }

  private static boolean distinct(long[] indices, long size) {
    boolean mixed =
        Arrays.stream(indices).anyMatch(i -> i < 0) && Arrays.stream(indices).anyMatch(i -> i >= 0);
    if (mixed && size < 0) {
      return false;
    }
    return Arrays.stream(indices).map(i -> mixed && i < 0 ? i + size : i).distinct().count()
        == indices.length;
  }

  /** Shape of the gradient with all axes of the indices as one, whose size is left open. */
  private static String oneIndexAxis(GradientContext c, int axis) {
    GradientBuilder b = c.builder();
    long[] dims = c.values().dims(c.input(0));
    dims[axis] = 0;
    if (Arrays.stream(dims).allMatch(dim -> dim >= 0)) {
      dims[axis] = -1;
      return b.longs(dims);
    }
    List<String> sizes =
        IntStream.range(0, dims.length)
            .mapToObj(i -> i == axis ? b.longs(-1) : b.dimOf(c.input(0), i))
            .toList();
    return b.concat(sizes, 0);
  }

  private static String scatter(
      GradientContext c, int axis, String indices, String gradient, Attribute... reduction) {
    GradientBuilder b = c.builder();
    long[] aligned = new long[c.values().rank(c.input(0))];
    Arrays.fill(aligned, 1);
    aligned[axis] = -1;
    String everywhere =
        b.op("Expand", b.op("Reshape", indices, b.longs(aligned)), b.op("Shape", gradient));
    Attribute[] attributes = Arrays.copyOf(reduction, reduction.length + 1);
    attributes[reduction.length] = Attribute.of("axis", axis);
    return b.op(
        "ScatterElements", List.of(b.zerosLike(c.input(0)), everywhere, gradient), attributes);
  }

  /** The gradient [.., k, ..] with axis k last, times [k, size], and back. */
  private static String oneHotProduct(
      GradientContext c, int axis, String indices, String gradient) {
    GradientBuilder b = c.builder();
    String x = c.input(0);
    int rank = c.values().rank(x);
    // integers, for not every runtime makes all floating-point types here
    String oneHot = b.op("OneHot", indices, b.dimOf(x, axis), b.longs(0, 1));
    long[] toLast = new long[rank];
    long[] back = new long[rank];
    for (int i = 0; i < rank; i++) {
      int from = i < axis ? i : i + 1;
      toLast[i] = i == rank - 1 ? axis : from;
      back[(int) toLast[i]] = i;
    }
    String product =
        b.op("MatMul", b.transpose(gradient, toLast), b.cast(oneHot, c.values().type(x)));
    return b.transpose(product, back);
  }
}
