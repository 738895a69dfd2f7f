package dev.sidefade.cuda.ops;

import dev.sidefade.cuda.CudaKernel;
import dev.sidefade.tensor.DType;
import dev.sidefade.tensor.Tensor;

/**
 * Layer norm ({@code kernels/layer_norm.cu}; features of F32, F16 or BF16) and activations ({@code
 * kernels/elementwise.cu}).
 */
final class TokenOps {
  /** Widest rows of the kernels that hold a row in registers: a warp, a warp, a block for each. */
  private static final int[] WIDTHS = {256, 1024, 8192};

  private static final String[] SIZES = {"_256", "_1024", "_8192", "_long"};

  /** Up to which size a warp takes a row, not a block. */
  private static final int WARP_SIZES = 2;

  private static final int LEAST_ROWS_OF_SLOT = 32;
  private static final int MOST_SLOTS = 1024;

  private static final int DX_UNWANTED = 0;
  private static final int DX_WRITTEN = 1;
  private static final int DX_ADDED = 2;

  private final Context context;
  private final TypedKernel[] layerNorm = new TypedKernel[SIZES.length];
  private final TypedKernel[] layerNormBackward = new TypedKernel[SIZES.length];
  private final CudaKernel layerNormSums;
  private final CudaKernel gelu;
  private final CudaKernel geluBackward;
  private final CudaKernel relu;
  private final CudaKernel reluBackward;

  TokenOps(Context context) {
    this.context = context;
    for (int i = 0; i < SIZES.length; i++) {
      layerNorm[i] = new TypedKernel(context, "layer_norm", "layer_norm_", SIZES[i]);
      layerNormBackward[i] =
          new TypedKernel(context, "layer_norm", "layer_norm_backward_", SIZES[i]);
    }
    layerNormSums = context.kernel("layer_norm", "layer_norm_sums");
    gelu = context.kernel("elementwise", "gelu");
    geluBackward = context.kernel("elementwise", "gelu_backward");
    relu = context.kernel("elementwise", "relu");
    reluBackward = context.kernel("elementwise", "relu_backward");
  }

  void layerNorm(
      Tensor x, Tensor gamma, Tensor beta, float epsilon, Tensor y, Tensor mean, Tensor rstd) {
    int rows = Checks.rows(x);
    int width = Checks.width(x);
    DType dtype = x.dtype();
    long in = Checks.features("x of layerNorm", x, rows, width);
    long scale = Checks.vector("gamma of layerNorm", gamma, width);
    long shift = Checks.vector("beta of layerNorm", beta, width);
    long out = TypedKernel.features("y of layerNorm", y, dtype, rows, width);
    long means = Checks.vector("mean of layerNorm", mean, rows);
    long rstds = Checks.vector("rstd of layerNorm", rstd, rows);
    if (rows == 0 || width == 0) {
      return;
    }
    int size = size(width);
    context
        .launch(layerNorm[size].of(dtype))
        .address(in)
        .address(scale)
        .address(shift)
        .float32(epsilon)
        .address(out)
        .address(means)
        .address(rstds)
        .int64(rows)
        .int32(width)
        .on(size < WARP_SIZES ? (rows + 3) / 4 : rows, 1, 1, threads(size), 0);
  }

  void layerNormBackward(
      Tensor x,
      Tensor gamma,
      Tensor mean,
      Tensor rstd,
      Tensor dy,
      Tensor dx,
      boolean addToDx,
      Tensor dGamma,
      Tensor dBeta) {
    int rows = Checks.rows(x);
    int width = Checks.width(x);
    DType dtype = x.dtype();
    long in = Checks.features("x of layerNorm", x, rows, width);
    long scale = Checks.vector("gamma of layerNorm", gamma, width);
    long means = Checks.vector("mean of layerNorm", mean, rows);
    long rstds = Checks.vector("rstd of layerNorm", rstd, rows);
    long dOut = TypedKernel.features("dy of layerNorm", dy, dtype, rows, width);
    long dIn = dx == null ? 0 : TypedKernel.features("dx of layerNorm", dx, dtype, rows, width);
    long toGamma = Checks.vector("dGamma of layerNorm", dGamma, width);
    long toBeta = Checks.vector("dBeta of layerNorm", dBeta, width);
    if (rows == 0 || width == 0) {
      context.zero(toGamma, 4L * width);
      context.zero(toBeta, 4L * width);
      return;
    }
    int rowsOfSlot = Math.max(LEAST_ROWS_OF_SLOT, (rows + MOST_SLOTS - 1) / MOST_SLOTS);
    int slots = (rows + rowsOfSlot - 1) / rowsOfSlot;
    int mark = context.scratch().mark();
    long sums = context.scratch().take(8L * slots * width);
    int size = size(width);
    context
        .launch(layerNormBackward[size].of(dtype))
        .address(in)
        .address(scale)
        .address(means)
        .address(rstds)
        .address(dOut)
        .address(dIn)
        .int32(dIn == 0 ? DX_UNWANTED : addToDx ? DX_ADDED : DX_WRITTEN)
        .address(sums)
        .int64(rows)
        .int32(width)
        .int32(rowsOfSlot)
        .on(slots, 1, 1, threads(size), 0);
    context
        .launch(layerNormSums)
        .address(sums)
        .int32(slots)
        .int32(width)
        .address(toGamma)
        .address(toBeta)
        .on(1, ColumnSums.columnBlocks(width), 2, 1024, 0);
    context.scratch().release(mark);
  }

  private static int size(int width) {
    int size = 0;
    while (size < WIDTHS.length && width > WIDTHS[size]) {
      size++;
    }
    return size;
  }

  private static int threads(int size) {
    return size < WARP_SIZES ? 128 : 256;
  }

  void gelu(Tensor x, Tensor y) {
    long in = Checks.address("x of gelu", x);
    long out = Checks.vector("y of gelu", y, x.size());
    forward(gelu, in, out, x.size());
  }

  void geluBackward(Tensor x, Tensor dy, Tensor dx) {
    long in = Checks.address("x of gelu", x);
    long dOut = Checks.vector("dy of gelu", dy, x.size());
    long dIn = Checks.vector("dx of gelu", dx, x.size());
    backward(geluBackward, in, dOut, dIn, x.size());
  }

  void relu(Tensor x, Tensor y) {
    long in = Checks.address("x of relu", x);
    long out = Checks.vector("y of relu", y, x.size());
    forward(relu, in, out, x.size());
  }

  void reluBackward(Tensor y, Tensor dy, Tensor dx) {
    long out = Checks.address("y of relu", y);
    long dOut = Checks.vector("dy of relu", dy, y.size());
    long dIn = Checks.vector("dx of relu", dx, y.size());
    backward(reluBackward, out, dOut, dIn, y.size());
  }

  private void forward(CudaKernel kernel, long x, long y, long size) {
    if (size > 0) {
      context
          .launch(kernel)
          .address(x)
          .address(y)
          .int64(size)
          .on(LinearOps.elementBlocks(size), 1, 1, 256, 0);
    }
  }

  private void backward(CudaKernel kernel, long x, long dy, long dx, long size) {
    if (size > 0) {
      context
          .launch(kernel)
          .address(x)
          .address(dy)
          .address(dx)
          .int64(size)
          .on(LinearOps.elementBlocks(size), 1, 1, 256, 0);
    }
  }
}
