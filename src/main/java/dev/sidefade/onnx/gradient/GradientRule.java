package dev.sidefade.onnx.gradient;

/** How the gradients of a node's outputs become gradients of its inputs, for one operator. */
@FunctionalInterface
interface GradientRule {
  /**
   * Emits nodes that compute the gradients of those inputs that {@link GradientContext#wants} says
   * are wanted, and hands each over with one of the {@code give} methods. At least one output has a
   * gradient.
   */
  void apply(GradientContext node);
}
