package dev.sidefade.cuda.ops;

import dev.sidefade.cuda.CudaKernel;
import dev.sidefade.kernels.ProductShape;
import dev.sidefade.tensor.Tensor;

/** Matrix products (cuBLAS), linear layers, sums ({@code kernels/elementwise.cu}). */
final class LinearOps {
  private static final int ELEMENTS_OF_BLOCK = 1024;
  private static final int CHUNK = 4;

  private final Context context;
  private final ColumnSums columnSums;
  private final CudaKernel add;
  private final CudaKernel biasAdd;

  LinearOps(Context context) {
    this.context = context;
    columnSums = new ColumnSums(context);
    add = context.kernel("elementwise", "add");
    biasAdd = context.kernel("elementwise", "bias_add");
  }

  void gemm(Tensor a, boolean transposeA, Tensor b, boolean transposeB, Tensor c) {
    ProductShape size = ProductShape.of(a, transposeA, b, transposeB);
    long target = Checks.exact("c of gemm", c, size.m(), size.n());
    long left = Checks.address("a of gemm", a);
    long right = Checks.address("b of gemm", b);
    context.gemm(left, transposeA, right, transposeB, target, size.m(), size.n(), size.k(), 0);
  }

  void linear(Tensor x, Tensor weight, Tensor bias, Tensor y) {
    int rows = Checks.rows(x);
    int in = Checks.width(x);
    int out = Checks.width(y);
    long input = Checks.matrix("x of linear", x, rows, in);
    long w = Checks.exact("weight of linear", weight, in, out);
    long shift = Checks.vectorOrNull("bias of linear", bias, out);
    long target = Checks.matrix("y of linear", y, rows, out);
    context.gemm(input, false, w, false, target, rows, out, in, 0);
    if (shift != 0) {
      addBias(target, shift, rows, out);
    }
  }

  private void addBias(long y, long bias, int rows, int width) {
    if (rows == 0 || width == 0) {
      return;
    }
    int rowsOfBlock = RowBlocks.rowsOfBlock(width, CHUNK);
    context
        .launch(biasAdd)
        .address(y)
        .address(bias)
        .int64(rows)
        .int32(width)
        .int32(rowsOfBlock)
        .on(RowBlocks.blocks(rows, rowsOfBlock), 1, 1, RowBlocks.THREADS, 0);
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
    long toInput = dx == null ? 0 : Checks.matrix("dx of linear", dx, rows, in);
    context.gemm(input, true, gradient, false, toWeight, in, out, rows, 0);
    if (toInput != 0) {
      context.gemm(gradient, false, w, true, toInput, rows, in, out, 0);
    }
    if (toBias != 0 && out > 0) {
      columnSums.sum(gradient, rows, out, toBias);
    }
  }

  void add(Tensor x, Tensor y) {
    long to = Checks.address("y of add", y);
    long from = Checks.vector("x of add", x, y.size());
    if (y.size() > 0) {
      context
          .launch(add)
          .address(from)
          .address(to)
          .int64(y.size())
          .on(elementBlocks(y.size()), 1, 1, 256, 0);
    }
  }

  /** Blocks of the element-wise kernels. */
  static long elementBlocks(long elements) {
    return (elements + ELEMENTS_OF_BLOCK - 1) / ELEMENTS_OF_BLOCK;
  }
}
