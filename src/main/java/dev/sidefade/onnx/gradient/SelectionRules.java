package dev.sidefade.onnx.gradient;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;
import java.util.stream.LongStream;

/** Operators that cut values apart or put them together. */
final class SelectionRules {
  private SelectionRules() {}

  static void split(GradientContext c) {
    List<String> parts = new ArrayList<>();
    for (int i = 0; i < c.node().outputs().size(); i++) {
      String output = c.output(i);
      parts.add(c.gradient(i).orElseGet(() -> c.builder().zerosLike(output)));
    }
    int axis = c.axis("axis", 0, c.values().rank(c.input(0)));
    c.give(0, c.builder().concat(parts, axis));
  }

  /** Each input gets its slice of the gradient. */
  static void concat(GradientContext c) {
    GradientBuilder b = c.builder();
    int axis = c.axis("axis", 0, c.values().rank(c.output(0)));
    String start = b.longs(0);
    // where the input starts, -1 once that depends on what is fed
    long known = 0;
    int last = c.node().inputs().size() - 1;
    for (int i = 0; i <= last; i++) {
      long size = c.values().dims(c.input(i))[axis];
      known = known >= 0 && size >= 0 ? known + size : -1;
      String end;
      if (known >= 0) {
        end = b.longs(known);
      } else if (i == last) {
        end = b.longs(Long.MAX_VALUE);
      } else {
        end = b.op("Add", start, b.dimOf(c.input(i), axis));
      }
      if (c.wants(i)) {
        c.give(i, b.op("Slice", c.gradient(), start, end, b.longs(axis)));
      }
      start = end;
    }
  }

  static void slice(GradientContext c) {
    long[] dims = c.values().dims(c.input(0));
    long[] cut = c.values().dims(c.output(0));
    long[] starts = sliceStarts(c, dims.length);
    // axes that stay whole need no zeros
    for (int i = 0; i < dims.length; i++) {
      starts[i] = dims[i] >= 0 && dims[i] == cut[i] ? 0 : starts[i];
    }
    int[] axes =
        IntStream.range(0, dims.length)
            .filter(i -> starts[i] != 0 || dims[i] < 0 || dims[i] != cut[i])
            .filter(i -> isSliced(c, i, dims.length))
            .toArray();
    if (axes.length == 0) {
      c.give(0, c.gradient());
    } else if (axes.length == 1 && dims[axes[0]] >= 0 && cut[axes[0]] >= 0) {
      int axis = axes[0];
      long start = Math.max(0, starts[axis] < 0 ? starts[axis] + dims[axis] : starts[axis]);
      c.givePiece(0, c.gradient(), axis, Math.min(start, dims[axis] - cut[axis]), cut[axis]);
    } else {
      c.give(0, c.builder().padLike(c.gradient(), c.input(0), starts));
    }
  }

  /** Whether the node says that an axis is cut, and not just from 0 to an end beyond all sizes. */
  private static boolean isSliced(GradientContext c, int axis, int rank) {
    int[] axes = sliceAxes(c, rank);
    Optional<long[]> ends = c.values().longs(c.input(2));
    long[] starts = constant(c, 1, "starts");
    return IntStream.range(0, axes.length)
        .filter(i -> axes[i] == axis)
        .anyMatch(i -> starts[i] != 0 || ends.isEmpty() || ends.get()[i] < Integer.MAX_VALUE);
  }

  private static int[] sliceAxes(GradientContext c, int rank) {
    long[] axes =
        c.input(3).isEmpty()
            ? LongStream.range(0, constant(c, 1, "starts").length).toArray()
            : constant(c, 3, "axes");
    return Arrays.stream(axes).mapToInt(axis -> c.normalize(axis, rank)).toArray();
  }

  /** Where the slice begins along each axis, negative where that is counted from the end. */
  private static long[] sliceStarts(GradientContext c, int rank) {
    if (!c.input(4).isEmpty()
        && Arrays.stream(constant(c, 4, "steps")).anyMatch(step -> step != 1)) {
      throw c.refuse("it takes steps other than 1");
    }
    long[] given = constant(c, 1, "starts");
    int[] axes = sliceAxes(c, rank);
    long[] starts = new long[rank];
    for (int i = 0; i < axes.length; i++) {
      // exporters write the lowest number there is for the beginning
      starts[axes[i]] = given[i] < -Integer.MAX_VALUE ? 0 : given[i];
    }
    return starts;
  }

  private static long[] constant(GradientContext c, int input, String what) {
    return c.values()
        .longs(c.input(input))
        .orElseThrow(() -> c.refuse("its " + what + " are no constant"));
  }

  /** One element or neighbours in a row are cut out; anything else is scattered back. */
  static void gather(GradientContext c) {
    if (c.wants(1)) {
      throw c.refuse("its indices depend on what is differentiated by");
    }
    long[] dims = c.values().dims(c.input(0));
    int axis = c.axis("axis", 0, dims.length);
    int indexRank = c.values().rank(c.input(1));
    Optional<long[]> indices = c.values().longs(c.input(1));
    if (indices.isEmpty() || indexRank > 1 || !isRange(indices.get())) {
      Scatter.gather(c, axis, indices);
      return;
    }
    String gradient = indexRank == 0 ? c.builder().unsqueeze(c.gradient(), axis) : c.gradient();
    long first = indices.get()[0];
    if (dims[axis] >= 0) {
      long start = first < 0 ? first + dims[axis] : first;
      c.givePiece(0, gradient, axis, start, indices.get().length);
    } else {
      long[] starts = new long[dims.length];
      starts[axis] = first;
      c.give(0, c.builder().padLike(gradient, c.input(0), starts));
    }
  }

  /** Whether indices count up by one without crossing from the end to the beginning. */
  private static boolean isRange(long[] indices) {
    return indices.length > 0
        && (indices[0] >= 0 || indices[0] + indices.length <= 0)
        && IntStream.range(0, indices.length).allMatch(i -> indices[i] == indices[0] + i);
  }
}
