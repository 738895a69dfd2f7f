package dev.sidefade.onnx.gradient;

import dev.sidefade.onnx.OnnxGraph;
import dev.sidefade.onnx.OnnxNode;
import java.util.Arrays;
import java.util.Optional;

/**
 * A matrix F + P Q of which only P, [m, r], and Q, [r, n], have gradients. For a small r these are
 * computed from the product that the matrix takes part in, without the gradient [m, n] of the
 * matrix, which would cost as much as that product.
 *
 * @param frozen F, [m, n]
 */
record FactoredWeight(String frozen, String left, String right) {

  /** What a value is computed from, if it is such a matrix and r is small. */
  static Optional<FactoredWeight> of(GradientContext c, String value) {
    OnnxGraph graph = c.values().graph();
    Optional<OnnxNode> sum = graph.producerOf(value).filter(node -> node.is("Add"));
    if (sum.isEmpty() || c.values().rank(value) != 2) {
      return Optional.empty();
    }
    String first = sum.get().input(0);
    String frozen = c.active(first) ? sum.get().input(1) : first;
    String changing = c.active(first) ? first : sum.get().input(1);
    return graph
        .producerOf(changing)
        .filter(node -> node.is("MatMul") && !c.active(frozen))
        .map(node -> new FactoredWeight(frozen, node.input(0), node.input(1)))
        .filter(weight -> weight.fits(c.values(), value));
  }

  private boolean fits(ForwardValues values, String value) {
    long[] dims = values.dims(value);
    if (!Arrays.equals(values.dims(frozen), dims)
        || values.rank(left) != 2
        || values.rank(right) != 2) {
      return false;
    }
    long rank = values.dims(left)[1];
    return rank > 0 && Arrays.stream(dims).allMatch(dim -> rank <= dim / 2);
  }

  /** The matrix turned round, [n, m]: what does not change is so only once. */
  String transposed(GradientBuilder b) {
    String change = b.op("MatMul", b.transposeLast(right, 2), b.transposeLast(left, 2));
    return b.op("Add", b.transposeLast(frozen, 2), change);
  }

  /**
   * Hands over the gradients of P and Q where the matrix's own would be a' b, the dash being the
   * transposition.
   *
   * @param a [rows, m]
   * @param b [rows, n]
   * @param alpha factor of the product
   */
  void give(GradientContext c, String a, String b, float alpha) {
    if (c.active(left)) {
      c.give(left, c.builder().gemm(a, 1, c.builder().gemm(b, 0, right, 1, alpha), 0, 1));
    }
    if (c.active(right)) {
      c.give(right, c.builder().gemm(c.builder().gemm(a, 0, left, 0, alpha), 1, b, 0, 1));
    }
  }
}
