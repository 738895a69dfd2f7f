package dev.sidefade.onnx.gradient;

import dev.sidefade.onnx.Attribute;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;

/** Sums and means along axes. */
final class ReductionRules {
  private ReductionRules() {}

  static void sum(GradientContext c) {
    c.giveSpread(0, withAllAxes(c, c.gradient()));
  }

  static void mean(GradientContext c) {
    GradientBuilder b = c.builder();
    String x = c.input(0);
    long[] dims = c.values().dims(x);
    long[] axes = axes(c);
    String share;
    if (Arrays.stream(axes).allMatch(axis -> dims[(int) axis] > 0)) {
      long count = Arrays.stream(axes).map(axis -> dims[(int) axis]).reduce(1, Math::multiplyExact);
      share = b.op("Mul", c.gradient(), b.scalar(1.0 / count, x));
    } else {
      String sizes = b.op("Gather", b.shapeOf(x), b.longs(axes));
      String count = b.op("ReduceProd", List.of(sizes), Attribute.of("keepdims", 0));
      share = b.op("Div", c.gradient(), b.cast(count, c.values().type(x)));
    }
    c.giveSpread(0, withAllAxes(c, share));
  }

  /** {@code ReduceL2}: x / y. */
  static void norm(GradientContext c) {
    GradientBuilder b = c.builder();
    String ratio = b.op("Div", c.gradient(), c.output(0));
    c.give(0, b.op("Mul", c.input(0), withAllAxes(c, ratio)));
  }

  /** What has the shape of the output, with the axes that were reduced as axes of size 1. */
  private static String withAllAxes(GradientContext c, String reduced) {
    return c.node().intAttribute("keepdims").orElse(1) == 1
        ? reduced
        : c.builder().unsqueeze(reduced, axes(c));
  }

  private static long[] axes(GradientContext c) {
    int rank = c.values().rank(c.input(0));
    Optional<long[]> axes = c.axes(1);
    if (axes.isEmpty() && !c.input(1).isEmpty()) {
      throw c.refuse("its axes are no constant");
    }
    if (axes.isEmpty() || axes.get().length == 0) {
      boolean none = c.node().intAttribute("noop_with_empty_axes").orElse(0) == 1;
      return IntStream.range(0, none ? 0 : rank).asLongStream().toArray();
    }
    return Arrays.stream(axes.get()).map(axis -> c.normalize(axis, rank)).sorted().toArray();
  }
}
