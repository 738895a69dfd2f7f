package dev.sidefade.onnx.gradient;

import dev.sidefade.onnx.ElementType;
import dev.sidefade.onnx.OnnxNode;
import dev.sidefade.tensor.BadInputException;
import java.util.List;
import java.util.Optional;

/**
 * What a rule sees of the node that it differentiates: the node, the gradients of its outputs, and
 * where the gradients of its inputs go.
 */
final class GradientContext {
  private final OnnxNode node;

  /** One for each output, null where it has none. */
  private final List<String> gradients;

  private final GradientBuilder builder;
  private final Activity activity;
  private final Adjoints adjoints;

  GradientContext(
      OnnxNode node,
      List<String> gradients,
      GradientBuilder builder,
      Activity activity,
      Adjoints adjoints) {
    this.node = node;
    this.gradients = gradients;
    this.builder = builder;
    this.activity = activity;
    this.adjoints = adjoints;
  }

  OnnxNode node() {
    return node;
  }

  /** Emits nodes. */
  GradientBuilder builder() {
    return builder;
  }

  /** What is known of the node's inputs and outputs. */
  ForwardValues values() {
    return builder.values();
  }

  /** Name of input {@code i}, empty where it is absent. */
  String input(int i) {
    return node.input(i);
  }

  String output(int i) {
    return node.output(i);
  }

  /** The gradient of output 0. */
  String gradient() {
    return gradient(0)
        .orElseThrow(() -> refuse("its first output has no gradient but another one has"));
  }

  /** The gradient of an output; empty where it has none. */
  Optional<String> gradient(int output) {
    return output < gradients.size()
        ? Optional.ofNullable(gradients.get(output))
        : Optional.empty();
  }

  /** Whether the gradient of input {@code i} must be given. */
  boolean wants(int i) {
    return activity.active(node.input(i));
  }

  /** Whether any value of the graph has a gradient. */
  boolean active(String value) {
    return activity.active(value);
  }

  /** Hands over a gradient of a value that inputs are computed from, of that value's shape. */
  void give(String value, String gradient) {
    adjoints.add(value, new Contribution.Full(gradient));
  }

  /** Hands over the gradient of input {@code i}, of that input's shape. */
  void give(int i, String gradient) {
    give(node.input(i), gradient);
  }

  /** Hands over a gradient of output 0's shape, summed where input {@code i} was broadcast. */
  void giveSummed(int i, String gradient) {
    give(i, summed(i, gradient));
  }

  /** A gradient of output 0's shape, summed where input {@code i} was broadcast. */
  String summed(int i, String gradient) {
    return builder.sumTo(gradient, values().dims(output(0)), values().dims(input(i)));
  }

  /** Hands over a gradient of input {@code i}'s rank that broadcasts to its shape. */
  void giveSpread(int i, String gradient) {
    adjoints.add(node.input(i), new Contribution.Spread(gradient));
  }

  /** Hands over the only part of the gradient of input {@code i} that is not zero. */
  void givePiece(int i, String gradient, int axis, long start, long size) {
    adjoints.add(node.input(i), new Contribution.Piece(gradient, axis, start, size));
  }

  /** An optional output of the node, which it computes from now on if it did not before. */
  String extraOutput(int i, String hint, ElementType type, long[] dims) {
    while (node.outputs().size() <= i) {
      node.outputs().add("");
    }
    if (node.output(i).isEmpty()) {
      node.outputs().set(i, builder.uniqueName(node.output(0) + "." + hint));
    }
    if (!values().hasDims(node.output(i))) {
      values().declare(node.output(i), type, dims);
    }
    return node.output(i);
  }

  /** An axis attribute as a number from 0. */
  int axis(String attribute, long otherwise, int rank) {
    return normalize(node.intAttribute(attribute).orElse(otherwise), rank);
  }

  /** An axis, perhaps counted from the end, as a number from 0. */
  int normalize(long axis, int rank) {
    long positive = axis < 0 ? axis + rank : axis;
    if (positive < 0 || positive > rank) {
      throw refuse("axis " + axis + " is none of the " + rank + " that its input has");
    }
    return (int) positive;
  }

  /**
   * Axes that the node takes as an attribute in old opsets and as an input in new ones; empty where
   * they are absent, or where they are computed.
   */
  Optional<long[]> axes(int input) {
    return node.intsAttribute("axes")
        .or(() -> input(input).isEmpty() ? Optional.empty() : values().longs(input(input)));
  }

  /** The error that this node has no gradient for a reason, as a part of a sentence. */
  BadInputException refuse(String reason) {
    return refusal(node, activity, reason);
  }

  static BadInputException refusal(OnnxNode node, Activity activity, String reason) {
    return new BadInputException(
        "cannot differentiate "
            + node
            + ", which lies between the input "
            + activity.upstreamOf(node)
            + " and the output "
            + activity.downstreamOf(node)
            + ", because "
            + reason
            + "; export the model with other operators there, or differentiate by values behind"
            + " it");
  }
}
