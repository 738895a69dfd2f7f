package dev.sidefade.cuda.ops;

import dev.sidefade.cuda.CudaKernel;
import dev.sidefade.kernels.AdapterState;
import dev.sidefade.kernels.AdapterWeights;
import dev.sidefade.tensor.Tensor;

/**
 * The token-wise side block ({@code kernels/adapter.cu}): the chain in one launch forward, and in
 * one backward beside the products for the gradients of the two matrices.
 */
final class AdapterOps {
  private static final String FILE = "adapter";
  private static final int TOKENS = 32;
  private static final int THREADS = 128;
  private static final int WIDE_THREADS = 256;

  /** Shared memory that every device has for a block. */
  private static final int SHARED_BYTES = 64 << 10;

  /** Most blocks backward, and so most terms of the sums over blocks: the work split is fixed. */
  private static final long BLOCKS = 512;

  private final Context context;
  private final CudaKernel forward;
  private final CudaKernel transpose;
  private final CudaKernel backward;
  private final CudaKernel finish;

  AdapterOps(Context context) {
    this.context = context;
    forward = context.kernel(FILE, "adapter");
    transpose = context.kernel(FILE, "adapter_transpose");
    backward = context.kernel(FILE, "adapter_backward");
    finish = context.kernel(FILE, "adapter_finish");
    forward.allowShared(SHARED_BYTES);
    backward.allowShared(SHARED_BYTES);
  }

  void forward(Tensor x, AdapterWeights w, float epsilon, AdapterState state, Tensor z) {
    int rows = Checks.rows(x);
    int width = Checks.width(x);
    int middle = Checks.width(w.w1());
    int tiles = tilesBytes(width, middle);
    Launch launch =
        context
            .launch(forward)
            .address(Checks.matrix("x of adapter", x, rows, width))
            .address(Checks.vector("gamma of adapter", w.gamma(), width))
            .address(Checks.vector("beta of adapter", w.beta(), width))
            .address(Checks.exact("w1 of adapter", w.w1(), width, middle))
            .address(Checks.vector("b1 of adapter", w.b1(), middle))
            .address(Checks.exact("w2 of adapter", w.w2(), middle, width))
            .address(Checks.vector("b2 of adapter", w.b2(), width))
            .address(Checks.vector("mean of adapter", state.mean(), rows))
            .address(Checks.vector("rstd of adapter", state.rstd(), rows))
            .address(Checks.matrix("normalized of adapter", state.normalized(), rows, width))
            .address(Checks.matrix("hidden of adapter", state.hidden(), rows, middle))
            .address(Checks.matrix("activated of adapter", state.activated(), rows, middle))
            .address(Checks.matrix("z of adapter", z, rows, width))
            .float32(epsilon)
            .int32(rows)
            .int32(width)
            .int32(middle)
            .int32(tiles);
    if (rows > 0) {
      launch.on(blocks(rows, TOKENS), 1, 1, THREADS, tiles);
    }
  }

  void backward(
      Tensor x,
      AdapterWeights w,
      AdapterState state,
      Tensor dz,
      Tensor dx,
      AdapterWeights gradients) {
    int rows = Checks.rows(x);
    int width = Checks.width(x);
    int middle = Checks.width(state.hidden());
    final long in = Checks.matrix("x of adapter", x, rows, width);
    final long gamma = Checks.vector("gamma of adapter", w.gamma(), width);
    Checks.vector("beta of adapter", w.beta(), width);
    final long w1 = Checks.exact("w1 of adapter", w.w1(), width, middle);
    Checks.vector("b1 of adapter", w.b1(), middle);
    final long w2 = Checks.exact("w2 of adapter", w.w2(), middle, width);
    Checks.vector("b2 of adapter", w.b2(), width);
    final long mean = Checks.vector("mean of adapter", state.mean(), rows);
    final long rstd = Checks.vector("rstd of adapter", state.rstd(), rows);
    final long normalized = Checks.matrix("normalized of adapter", state.normalized(), rows, width);
    final long hidden = Checks.matrix("hidden of adapter", state.hidden(), rows, middle);
    final long activated = Checks.matrix("activated of adapter", state.activated(), rows, middle);
    final long dOut = Checks.matrix("dz of adapter", dz, rows, width);
    final long dIn = Checks.matrix("dx of adapter", dx, rows, width);
    final long toGamma = Checks.vector("dGamma of adapter", gradients.gamma(), width);
    final long toBeta = Checks.vector("dBeta of adapter", gradients.beta(), width);
    final long toW1 = Checks.exact("dW1 of adapter", gradients.w1(), width, middle);
    final long toB1 = Checks.vector("dB1 of adapter", gradients.b1(), middle);
    final long toW2 = Checks.exact("dW2 of adapter", gradients.w2(), middle, width);
    final long toB2 = Checks.vector("dB2 of adapter", gradients.b2(), width);

    Scratch scratch = context.scratch();
    int mark = scratch.mark();
    int tiles = tilesBytes(width, middle);
    long columns = 3L * width + middle;
    int blocks = (int) Math.min(BLOCKS, blocks(rows, TOKENS));
    long slots = scratch.take(4 * columns * blocks);
    long dHidden = scratch.take(4L * rows * middle);
    // before the chain: dx may be dz
    context.gemm(activated, true, dOut, false, toW2, middle, width, rows, 0);
    if (rows > 0) {
      long w1Transposed = transposed(w1, width, middle);
      long w2Transposed = transposed(w2, middle, width);
      long dNormalized = tiles == 0 ? scratch.take(4L * rows * width) : 0;
      context
          .launch(backward)
          .address(in)
          .address(gamma)
          .address(w1Transposed)
          .address(w2Transposed)
          .address(mean)
          .address(rstd)
          .address(hidden)
          .address(dOut)
          .address(dHidden)
          .address(dNormalized)
          .address(dIn)
          .address(slots)
          .int32(rows)
          .int32(width)
          .int32(middle)
          .int32(tiles)
          .on(blocks, 1, 1, THREADS, tiles);
    }
    context.gemm(normalized, true, dHidden, false, toW1, width, middle, rows, 0);
    context
        .launch(finish)
        .address(slots)
        .address(toGamma)
        .address(toBeta)
        .address(toB1)
        .address(toB2)
        .int32(blocks)
        .int32(width)
        .int32(middle)
        .on(blocks(columns, 32), 1, 1, WIDE_THREADS, 0);
    scratch.release(mark);
  }

  /** The transpose of a matrix [rows, columns], in scratch. */
  private long transposed(long matrix, int rows, int columns) {
    long transposed = context.scratch().take(4 * Math.multiplyExact((long) rows, columns));
    context
        .launch(transpose)
        .address(matrix)
        .address(transposed)
        .int32(rows)
        .int32(columns)
        .on(blocks(columns, 32), Math.toIntExact(blocks(rows, 32)), 1, WIDE_THREADS, 0);
    return transposed;
  }

  /**
   * Shared memory for a block's tokens at both widths, rows padded as the kernel pads them; 0 where
   * it is too much, then the chain goes through global memory.
   */
  private static int tilesBytes(int width, int middle) {
    long bytes = 4L * TOKENS * (4 * (blocks(width, 4) + blocks(middle, 4)) + 8);
    return bytes <= SHARED_BYTES ? (int) bytes : 0;
  }

  private static long blocks(long count, int size) {
    return (count + size - 1) / size;
  }
}
