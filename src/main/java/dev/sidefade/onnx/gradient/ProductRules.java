package dev.sidefade.onnx.gradient;

import dev.sidefade.onnx.Attribute;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.stream.LongStream;

/** Products of matrices. */
final class ProductRules {
  private ProductRules() {}

  /**
   * A product of two values of at least two axes each, with axes of size 1 in place of those that
   * MatMul leaves out for vectors.
   */
  private record Product(String a, long[] aDims, String b, long[] bDims, String gradient) {
    /** Axes before the last two of the result, then the two given ones. */
    long[] batchAnd(long[] outDims, long rows, long columns) {
      return LongStream.concat(
              Arrays.stream(outDims).limit(outDims.length - 2L), LongStream.of(rows, columns))
          .toArray();
    }
  }

  static void matMul(GradientContext c) {
    ForwardValues values = c.values();
    GradientBuilder b = c.builder();
    long[] left = values.dims(c.input(0));
    long[] right = values.dims(c.input(1));
    long[] out = values.dims(c.output(0));
    String first = c.input(0);
    String second = c.input(1);
    String gradient = c.gradient();
    boolean vectorLeft = left.length == 1;
    boolean vectorRight = right.length == 1;
    if (vectorLeft) {
      first = b.unsqueeze(first, 0);
      left = new long[] {1, left[0]};
      int row = vectorRight ? 0 : out.length - 1;
      gradient = b.unsqueeze(gradient, row);
      out = inserted(out, row);
    }
    if (vectorRight) {
      second = b.unsqueeze(second, 1);
      right = new long[] {right[0], 1};
      gradient = b.unsqueeze(gradient, out.length);
      out = inserted(out, out.length);
    }
    Optional<FactoredWeight> factored =
        vectorLeft ? Optional.empty() : FactoredWeight.of(c, second);
    if (factored.isPresent()) {
      if (c.wants(0)) {
        c.give(0, b.op("MatMul", gradient, factored.get().transposed(b)));
      }
      factored.get().give(c, b.rows(first, left.length), b.rows(gradient, out.length), 1);
      return;
    }
    Product product = new Product(first, left, second, right, gradient);
    if (c.wants(0)) {
      String byLeft = byLeft(b, product, out);
      c.give(0, vectorLeft ? b.reshapeLike(byLeft, c.input(0)) : byLeft);
    }
    if (c.wants(1)) {
      String byRight = byRight(b, product, out);
      c.give(1, vectorRight ? b.reshapeLike(byRight, c.input(1)) : byRight);
    }
  }

  private static String byLeft(GradientBuilder b, Product p, long[] out) {
    int rightRank = p.bDims().length;
    if (p.aDims().length == 2 && rightRank > 2) {
      // one matrix for all: one product with the whole batch in the columns
      return b.op(
          "Gemm",
          List.of(columns(b, p.gradient(), out.length), columns(b, p.b(), rightRank)),
          Attribute.of("transB", 1));
    }
    String full = b.op("MatMul", p.gradient(), b.transposeLast(p.b(), rightRank));
    long[] fullDims =
        p.batchAnd(out, p.aDims()[p.aDims().length - 2], p.aDims()[p.aDims().length - 1]);
    return b.sumTo(full, fullDims, p.aDims());
  }

  private static String byRight(GradientBuilder b, Product p, long[] out) {
    int leftRank = p.aDims().length;
    if (p.bDims().length == 2) {
      // one matrix for all: one product with the whole batch in the rows
      return b.op(
          "Gemm",
          List.of(b.rows(p.a(), leftRank), b.rows(p.gradient(), out.length)),
          Attribute.of("transA", 1));
    }
    String full = b.op("MatMul", b.transposeLast(p.a(), leftRank), p.gradient());
    long[] fullDims =
        p.batchAnd(out, p.bDims()[p.bDims().length - 2], p.bDims()[p.bDims().length - 1]);
    return b.sumTo(full, fullDims, p.bDims());
  }

  /** [.., n, m] of a known rank as [n, .. m], which needs the axis of rows in front. */
  private static String columns(GradientBuilder b, String x, int rank) {
    long[] permutation = new long[rank];
    permutation[0] = rank - 2L;
    for (int i = 1; i < rank - 1; i++) {
      permutation[i] = i - 1L;
    }
    permutation[rank - 1] = rank - 1L;
    return b.op("Flatten", List.of(b.transpose(x, permutation)), Attribute.of("axis", 1));
  }

  private static long[] inserted(long[] dims, int position) {
    long[] more = new long[dims.length + 1];
    System.arraycopy(dims, 0, more, 0, position);
    more[position] = 1;
    System.arraycopy(dims, position, more, position + 1, dims.length - position);
    return more;
  }

  /** alpha A' B' + beta C, where the dash stands for an optional transposition. */
  static void gemm(GradientContext c) {
    GradientBuilder b = c.builder();
    long transA = c.node().intAttribute("transA").orElse(0);
    long transB = c.node().intAttribute("transB").orElse(0);
    String dy = c.gradient();
    if (c.wants(0)) {
      c.give(
          0,
          transA == 0
              ? product(c, dy, 0, c.input(1), 1 - transB)
              : product(c, c.input(1), transB, dy, 1));
    }
    Optional<FactoredWeight> factored =
        transA == 0 ? FactoredWeight.of(c, c.input(1)) : Optional.empty();
    if (factored.isPresent()) {
      float alpha = (float) c.node().floatAttribute("alpha").orElse(1);
      String x = c.input(0);
      factored.get().give(c, transB == 0 ? x : dy, transB == 0 ? dy : x, alpha);
    } else if (c.wants(1)) {
      c.give(
          1,
          transB == 0
              ? product(c, c.input(0), 1 - transA, dy, 0)
              : product(c, dy, 1, c.input(0), transA));
    }
    if (c.wants(2)) {
      double beta = c.node().floatAttribute("beta").orElse(1);
      String sum = c.summed(2, dy);
      c.give(2, beta == 1 ? sum : b.op("Mul", sum, b.scalar(beta, c.output(0))));
    }
  }

  private static String product(GradientContext c, String a, long transA, String b, long transB) {
    float alpha = (float) c.node().floatAttribute("alpha").orElse(1);
    return c.builder().gemm(a, transA, b, transB, alpha);
  }
}
