package dev.sidefade.cuda.ops;

import dev.sidefade.kernels.Pooling;
import dev.sidefade.kernels.TokenLayout;
import dev.sidefade.tensor.DType;
import dev.sidefade.tensor.Tensor;

/** Pooling ({@code kernels/pool.cu}); features of F32, F16 or BF16. */
final class PoolOps {
  private static final int WARP = 32;

  private final Context context;
  private final TypedKernel pool;
  private final TypedKernel poolBackward;
  private final TypedKernel poolTokens;

  PoolOps(Context context) {
    this.context = context;
    pool = new TypedKernel(context, "pool", "pool_", "");
    poolBackward = new TypedKernel(context, "pool", "pool_backward_", "");
    poolTokens = new TypedKernel(context, "pool", "pool_tokens_", "");
  }

  void pool(Tensor x, TokenLayout layout, Pooling pooling, Tensor valid, Tensor y) {
    int width = Checks.width(x);
    DType dtype = x.dtype();
    int outWidth = width * pooling.parts();
    long in = Checks.features("x of pool", x, layout.rows(), width);
    long out = TypedKernel.features("y of pool", y, dtype, pooling.rows(layout), outWidth);
    long tokens = Checks.vectorOrNull("valid of pool", valid, layout.rows());
    if (pooling == Pooling.TOKENS) {
      copyValid(dtype, in, tokens, out, layout.rows(), width);
    } else {
      launch(pool, dtype, in, layout, pooling, tokens, out, width);
    }
  }

  void poolBackward(Tensor dy, TokenLayout layout, Pooling pooling, Tensor valid, Tensor dx) {
    int width = Checks.width(dx);
    DType dtype = dx.dtype();
    int outWidth = width * pooling.parts();
    long dIn = Checks.features("dx of pool", dx, layout.rows(), width);
    long dOut = TypedKernel.features("dy of pool", dy, dtype, pooling.rows(layout), outWidth);
    long tokens = Checks.vectorOrNull("valid of pool", valid, layout.rows());
    if (pooling == Pooling.TOKENS) {
      copyValid(dtype, dOut, tokens, dIn, layout.rows(), width);
    } else {
      launch(poolBackward, dtype, dOut, layout, pooling, tokens, dIn, width);
    }
  }

  /** Both directions have the same parameters and the same grid: samples by columns. */
  private void launch(
      TypedKernel kernel,
      DType dtype,
      long from,
      TokenLayout layout,
      Pooling pooling,
      long valid,
      long to,
      int width) {
    if (width == 0) {
      return;
    }
    int columnsOfBlock = WARP * TypedKernel.chunk(dtype);
    context
        .launch(kernel.of(dtype))
        .address(from)
        .address(valid)
        .int32(layout.tokens())
        .int32(layout.prefix())
        .int32(width)
        .int32(pooling == Pooling.MEAN ? 0 : 1)
        .int32(pooling == Pooling.CLS ? 0 : 1)
        .address(to)
        .on(layout.batch(), (width + columnsOfBlock - 1) / columnsOfBlock, 1, 256, 0);
  }

  /** Rows of tokens as they are, rows of padding as zeros. */
  private void copyValid(DType dtype, long from, long valid, long to, int rows, int width) {
    if (width == 0) {
      return;
    }
    int rowsOfBlock = RowBlocks.rowsOfBlock(width, TypedKernel.chunk(dtype));
    context
        .launch(poolTokens.of(dtype))
        .address(from)
        .address(valid)
        .address(to)
        .int64(rows)
        .int32(width)
        .int32(rowsOfBlock)
        .on(RowBlocks.blocks(rows, rowsOfBlock), 1, 1, RowBlocks.THREADS, 0);
  }
}
