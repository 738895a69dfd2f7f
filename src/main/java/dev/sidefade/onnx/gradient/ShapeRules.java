package dev.sidefade.onnx.gradient;

import java.util.Arrays;
import java.util.Optional;

/** Operators that give the same elements another shape or order, or repeat them. */
final class ShapeRules {
  private ShapeRules() {}

  /** {@code Reshape}, {@code Flatten}. */
  static void reshape(GradientContext c) {
    c.give(0, c.builder().reshapeLike(c.gradient(), c.input(0)));
  }

  static void squeeze(GradientContext c) {
    int rank = c.values().rank(c.input(0));
    Optional<long[]> axes = c.axes(1);
    c.give(
        0,
        axes.isPresent()
            ? c.builder().unsqueeze(c.gradient(), positive(c, axes.get(), rank))
            : c.builder().reshapeLike(c.gradient(), c.input(0)));
  }

  static void unsqueeze(GradientContext c) {
    int rank = c.values().rank(c.output(0));
    Optional<long[]> axes = c.axes(1);
    c.give(
        0,
        axes.isPresent()
            ? c.builder().squeeze(c.gradient(), positive(c, axes.get(), rank))
            : c.builder().reshapeLike(c.gradient(), c.input(0)));
  }

  static void transpose(GradientContext c) {
    int rank = c.values().rank(c.input(0));
    long[] inverse = new long[rank];
    Optional<long[]> permutation = c.node().intsAttribute("perm");
    for (int i = 0; i < rank; i++) {
      // without a permutation the axes are reversed
      int from = permutation.isPresent() ? (int) permutation.get()[i] : rank - 1 - i;
      inverse[from] = i;
    }
    c.give(0, c.builder().transpose(c.gradient(), inverse));
  }

  static void expand(GradientContext c) {
    c.giveSummed(0, c.gradient());
  }

  private static long[] positive(GradientContext c, long[] axes, int rank) {
    return Arrays.stream(axes).map(axis -> c.normalize(axis, rank)).sorted().toArray();
  }
}
