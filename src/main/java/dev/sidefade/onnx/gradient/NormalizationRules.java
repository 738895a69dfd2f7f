package dev.sidefade.onnx.gradient;

import dev.sidefade.onnx.ElementType;
import java.util.Arrays;
import java.util.stream.IntStream;

/** Layer normalisation and softmax. */
final class NormalizationRules {
  private NormalizationRules() {}

  /** Over the axes from {@code axis} to the last; mean and deviation are what the node computed. */
  static void layerNormalization(GradientContext c) {
    GradientBuilder b = c.builder();
    if (c.gradient(1).isPresent() || c.gradient(2).isPresent()) {
      throw c.refuse("its mean or its deviation is used by other nodes");
    }
    String x = c.input(0);
    long[] dims = c.values().dims(x);
    int first = c.axis("axis", -1, dims.length);
    long[] axes = IntStream.range(first, dims.length).asLongStream().toArray();
    String dy = c.gradient();
    if (c.wants(2)) {
      c.giveSummed(2, dy);
    }
    if (!c.wants(0) && !c.wants(1)) {
      return;
    }
    String deviation = statistic(c, 2, "InvStdDev", first);
    String centred = b.op("Sub", x, statistic(c, 1, "Mean", first));
    String normalized = b.op("Mul", centred, deviation);
    if (c.wants(1)) {
      c.giveSummed(1, b.op("Mul", dy, normalized));
    }
    if (c.wants(0)) {
      String scaled = b.op("Mul", dy, c.input(1));
      String level = b.op("Sub", scaled, b.mean(scaled, axes));
      String along = b.mean(b.op("Mul", scaled, normalized), axes);
      String across = b.op("Sub", level, b.op("Mul", normalized, along));
      c.give(0, b.op("Mul", across, deviation));
    }
  }

  /** Output {@code i} of a LayerNormalization, in the type of its input. */
  private static String statistic(GradientContext c, int i, String hint, int firstAxis) {
    long[] dims = c.values().dims(c.input(0));
    Arrays.fill(dims, firstAxis, dims.length, 1);
    ElementType type = c.values().type(c.input(0));
    ElementType stash = ElementTypes.stashType(c.node());
    String statistic = c.extraOutput(i, hint, stash, dims);
    return type == stash ? statistic : c.builder().cast(statistic, type);
  }

  /** y (dy - Σ dy y). */
  static void softmax(GradientContext c) {
    GradientBuilder b = c.builder();
    String y = c.output(0);
    String product = b.op("Mul", c.gradient(), y);
    String sum = b.sum(product, softmaxAxes(c), true);
    c.give(0, b.op("Sub", product, b.op("Mul", y, sum)));
  }

  /** dy - exp(y) Σ dy. */
  static void logSoftmax(GradientContext c) {
    GradientBuilder b = c.builder();
    String sum = b.sum(c.gradient(), softmaxAxes(c), true);
    c.give(0, b.op("Sub", c.gradient(), b.op("Mul", b.op("Exp", c.output(0)), sum)));
  }

  /** One axis; before opset 13 all axes from that one to the last together. */
  private static long[] softmaxAxes(GradientContext c) {
    int rank = c.values().rank(c.input(0));
    if (c.builder().opset() >= 13) {
      return new long[] {c.axis("axis", -1, rank)};
    }
    return IntStream.range(c.axis("axis", 1, rank), rank).asLongStream().toArray();
  }
}
