package dev.sidefade.cpu;

import dev.sidefade.kernels.ProductShape;
import dev.sidefade.tensor.Tensor;

/** Matrix products, linear layers, sums. */
final class LinearOps {
  private final Context context;

  LinearOps(Context context) {
    this.context = context;
  }

  void gemm(Tensor a, boolean transposeA, Tensor b, boolean transposeB, Tensor c) {
    ProductShape size = ProductShape.of(a, transposeA, b, transposeB);
    long target = Checks.exact("c of gemm", c, size.m(), size.n());
    multiply(
        Checks.address("a of gemm", a),
        transposeA,
        Checks.address("b of gemm", b),
        transposeB,
        0,
        target,
        Math.toIntExact(size.m()),
        Math.toIntExact(size.n()),
        Math.toIntExact(size.k()));
  }

  void linear(Tensor x, Tensor weight, Tensor bias, Tensor y) {
    int rows = Checks.rows(x);
    int in = Checks.width(x);
    int out = Checks.width(y);
    multiply(
        Checks.matrix("x of linear", x, rows, in),
        false,
        Checks.exact("weight of linear", weight, in, out),
        false,
        Checks.vectorOrNull("bias of linear", bias, out),
        Checks.matrix("y of linear", y, rows, out),
        rows,
        out,
        in);
  }

  void linearBackward(Tensor x, Tensor weight, Tensor dy, Tensor dx, Tensor dWeight, Tensor dBias) {
    int rows = Checks.rows(x);
    int in = Checks.width(x);
    int out = Checks.width(dy);
    long gradient = Checks.matrix("dy of linear", dy, rows, out);
    long input = Checks.matrix("x of linear", x, rows, in);
    long w = Checks.exact("weight of linear", weight, in, out);
    long toWeight = Checks.exact("dWeight of linear", dWeight, in, out);
    long toBias = Checks.vectorOrNull("dBias of linear", dBias, out);
    if (dx == null || rows == 0) {
      weightGradient(input, gradient, rows, in, out, toWeight, toBias);
      return;
    }
    long target = Checks.matrix("dx of linear", dx, rows, in);
    context.gemm().linearBackward(input, w, gradient, target, toWeight, rows, in, out);
    if (toBias != 0) {
      context.columnSums(gradient, rows, out, toBias);
    }
  }

  /** dWeight[in, out] = x^T dy and, unless its address is 0, dBias = column sums of dy. */
  void weightGradient(long x, long dy, int rows, int in, int out, long dWeight, long dBias) {
    if (rows == 0) {
      RawMemory.zero(dWeight, (long) in * out);
    } else {
      multiply(x, true, dy, false, 0, dWeight, in, out, rows);
    }
    if (dBias != 0) {
      context.columnSums(dy, rows, out, dBias);
    }
  }

  void multiply(
      long a,
      boolean transposeA,
      long b,
      boolean transposeB,
      long bias,
      long c,
      int m,
      int n,
      int k) {
    context.gemm().multiply(a, transposeA, b, transposeB, bias, c, m, n, k);
  }

  void add(Tensor x, Tensor y) {
    long to = Checks.address("y of add", y);
    long from = Checks.vector("x of add", x, y.size());
    context.overElements(
        y.size(), (at, count) -> context.rows().add(from + 4 * at, to + 4 * at, count));
  }
}
