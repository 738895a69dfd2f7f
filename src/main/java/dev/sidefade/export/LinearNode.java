package dev.sidefade.export;

import dev.sidefade.onnx.GraphEdit;
import dev.sidefade.onnx.Initializer;
import dev.sidefade.onnx.OnnxGraph;
import dev.sidefade.onnx.OnnxNode;
import java.util.Arrays;
import java.util.Optional;

/**
 * A product with a constant matrix: factor * input [.., K] * matrix [K, N], plus a bias.
 *
 * @param input name of what enters
 * @param source name of the constant
 * @param constant [K, N], or [N, K] where it is transposed
 * @param transposed whether the constant is stored the other way round
 * @param factor of the product
 * @param bias name of what is added, which broadcasts; empty where nothing is
 * @param output name of what comes out
 */
record LinearNode(
    String input,
    String source,
    Initializer constant,
    boolean transposed,
    float factor,
    Optional<String> bias,
    String output) {

  /** Reads a {@code MatMul} or {@code Gemm}; empty for other nodes and for those of other forms. */
  static Optional<LinearNode> of(OnnxGraph graph, OnnxNode node) {
    boolean product = node.is("MatMul");
    if (!product && !(node.is("Gemm") && isPlain(node))) {
      return Optional.empty();
    }
    boolean transposed = node.intAttribute("transB").orElse(0) != 0;
    float factor = product ? 1 : (float) node.floatAttribute("alpha").orElse(1);
    Optional<String> bias = Optional.of(node.input(2)).filter(name -> !product && !name.isEmpty());
    String value = GraphEdit.resolveIdentity(graph, node.input(1));
    Optional<OnnxNode> turn = graph.producerOf(value).filter(LinearNode::turnsMatrix);
    if (turn.isPresent()) {
      value = GraphEdit.resolveIdentity(graph, turn.get().input(0));
      transposed = !transposed;
    }
    boolean other = transposed;
    String source = value;
    return GraphEdit.constantValue(graph, source)
        .filter(Weights::isWeight)
        .filter(constant -> constant.dims().length == 2)
        .map(constant ->
            new LinearNode(node.input(0), source, constant, other, factor, bias, node.output(0)));
  }

  /** Whether a {@code Gemm} takes its input and bias as they are. */
  private static boolean isPlain(OnnxNode gemm) {
    boolean biasAsItIs = gemm.input(2).isEmpty() || gemm.floatAttribute("beta").orElse(1) == 1;
    return gemm.intAttribute("transA").orElse(0) == 0 && biasAsItIs;
  }

  private static boolean turnsMatrix(OnnxNode node) {
    return node.is("Transpose")
        && Arrays.equals(node.intsAttribute("perm").orElse(new long[] {1, 0}), new long[] {1, 0});
  }

  int rows() {
    return Math.toIntExact(constant.dims()[transposed ? 1 : 0]);
  }

  int columns() {
    return Math.toIntExact(constant.dims()[transposed ? 0 : 1]);
  }

  /** The elements [K, N], row-major. */
  float[] matrix() {
    float[] stored = constant.floats();
    if (!transposed) {
      return stored;
    }
    int rows = rows();
    int columns = columns();
    float[] matrix = new float[stored.length];
    for (int k = 0; k < rows; k++) {
      for (int n = 0; n < columns; n++) {
        matrix[k * columns + n] = stored[n * rows + k];
      }
    }
    return matrix;
  }
}
