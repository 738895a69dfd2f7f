package dev.sidefade.export;

import dev.sidefade.onnx.ElementType;
import dev.sidefade.onnx.Initializer;
import dev.sidefade.onnx.OnnxGraph;
import java.util.Arrays;

/** Which constants of a graph are weights, the only ones that are worth another precision. */
final class Weights {
  /** Below this a constant takes no room that would be worth its error. */
  static final int FEWEST = 1024;

  private Weights() {}

  /**
   * Whether a constant is a large matrix or more: biases, norms and other vectors are none, for
   * they have at most one dimension above 1.
   */
  static boolean isWeight(Initializer constant) {
    long wide = Arrays.stream(constant.dims()).filter(dim -> dim > 1).count();
    return constant.type() == ElementType.FLOAT && wide >= 2 && constant.size() >= FEWEST;
  }

  /**
   * Makes constants of inputs that have a constant as their default, as old exporters wrote them:
   * after that the constants may be stored in another way.
   */
  static void settleDefaults(OnnxGraph graph) {
    graph.inputs().retainAll(graph.fedInputs());
  }
}
