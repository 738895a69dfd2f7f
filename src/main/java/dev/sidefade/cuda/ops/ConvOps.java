package dev.sidefade.cuda.ops;

import dev.sidefade.cuda.CudaKernel;
import dev.sidefade.kernels.TokenLayout;
import dev.sidefade.tensor.Tensor;

/**
 * 3 x 3 convolution over the patch grid as matrix products of gathered neighbourhoods ({@code
 * kernels/conv3x3.cu}). The neighbourhoods are nine times as large as x, so they are formed for a
 * few samples at a time; how many depends on shapes alone.
 */
final class ConvOps {
  private static final String FILE = "conv3x3";
  private static final int TAPS = 9;
  private static final int GATHER_ROWS = 4;
  private static final int WARP = 32;
  private static final int WARPS = 8;
  private static final int BIAS_THREADS = 128;

  /** Bytes of neighbourhoods at a time, unless one sample needs more. */
  private static final long PIECE_BYTES = 64L << 20;

  /** Most, and smallest, pieces of rows whose column sums are formed apart. */
  private static final int CHUNKS = 64;

  private static final int CHUNK_ROWS = 64;

  private final Context context;
  private final CudaKernel gather;
  private final CudaKernel scatter;
  private final CudaKernel start;
  private final CudaKernel clean;
  private final CudaKernel sumBias;

  ConvOps(Context context) {
    this.context = context;
    gather = context.kernel(FILE, "conv3x3_gather");
    scatter = context.kernel(FILE, "conv3x3_scatter");
    start = context.kernel(FILE, "conv3x3_start");
    clean = context.kernel(FILE, "conv3x3_clean");
    sumBias = context.kernel(FILE, "conv3x3_bias");
  }

  void forward(Tensor x, TokenLayout layout, Tensor weight, Tensor bias, Tensor y) {
    requireGrid(layout);
    int in = Checks.width(x);
    int out = Checks.width(y);
    long source = Checks.matrix("x of conv3x3", x, layout.rows(), in);
    long target = Checks.matrix("y of conv3x3", y, layout.rows(), out);
    long w = Checks.exact("weight of conv3x3", weight, (long) TAPS * in, out);
    long b = Checks.vector("bias of conv3x3", bias, out);
    int mark = context.scratch().mark();
    int piece = samplesOfPiece(layout, in);
    long columns = context.scratch().take(neighbourhoodBytes(layout, piece, in));
    context
        .launch(start)
        .address(b)
        .address(target)
        .int32(layout.rows())
        .int32(layout.tokens())
        .int32(layout.prefix())
        .int32(out)
        .on(blocks(layout.rows(), WARPS), 1, 1, WARPS * WARP, 0);
    for (int first = 0; first < layout.batch(); first += piece) {
      int rows = rowsOfPiece(layout, first, piece);
      long firstRow = (long) first * layout.tokens();
      neighbourhoods(source + 4 * firstRow * in, columns, layout, rows, in);
      context.gemm(
          columns, false, w, false, target + 4 * firstRow * out, rows, out, (long) TAPS * in, 1);
    }
    context.scratch().release(mark);
  }

  void backward(
      Tensor x,
      TokenLayout layout,
      Tensor weight,
      Tensor dy,
      Tensor dx,
      Tensor dWeight,
      Tensor dBias) {
    requireGrid(layout);
    int in = Checks.width(x);
    int out = Checks.width(dy);
    long source = Checks.matrix("x of conv3x3", x, layout.rows(), in);
    long dOut = Checks.matrix("dy of conv3x3", dy, layout.rows(), out);
    long w = Checks.exact("weight of conv3x3", weight, (long) TAPS * in, out);
    long toWeight = Checks.exact("dWeight of conv3x3", dWeight, (long) TAPS * in, out);
    long toBias = Checks.vector("dBias of conv3x3", dBias, out);
    long dIn = dx == null ? 0 : Checks.matrix("dx of conv3x3", dx, layout.rows(), in);
    int mark = context.scratch().mark();
    int piece = samplesOfPiece(layout, in);
    long columns = context.scratch().take(neighbourhoodBytes(layout, piece, in));
    long gradient = context.scratch().take(4L * layout.rows() * out);
    cleanGradient(dOut, gradient, layout, out, toBias);
    for (int first = 0; first < layout.batch(); first += piece) {
      int rows = rowsOfPiece(layout, first, piece);
      long firstRow = (long) first * layout.tokens();
      long taps = (long) TAPS * in;
      long ofPiece = gradient + 4 * firstRow * out;
      neighbourhoods(source + 4 * firstRow * in, columns, layout, rows, in);
      context.gemm(columns, true, ofPiece, false, toWeight, taps, out, rows, first == 0 ? 0 : 1);
      if (dx != null) {
        context.gemm(ofPiece, false, w, true, columns, rows, taps, out, 0);
        scatterNeighbourhoods(columns, dIn + 4 * firstRow * in, layout, rows, in);
      }
    }
    context.scratch().release(mark);
  }

  /** gradient = dy without its prefix rows, and dBias = its column sums. */
  private void cleanGradient(long dy, long gradient, TokenLayout layout, int out, long toBias) {
    int chunk = Math.max(CHUNK_ROWS, blocks(layout.rows(), CHUNKS));
    int chunks = blocks(layout.rows(), chunk);
    long sums = context.scratch().take(4L * chunks * out);
    context
        .launch(clean)
        .address(dy)
        .address(gradient)
        .address(sums)
        .int32(layout.rows())
        .int32(chunk)
        .int32(layout.tokens())
        .int32(layout.prefix())
        .int32(out)
        .on(chunks, blocks(out, WARP), 1, WARPS * WARP, 0);
    context
        .launch(sumBias)
        .address(sums)
        .address(toBias)
        .int32(chunks)
        .int32(out)
        .on(blocks(out, BIAS_THREADS), 1, 1, BIAS_THREADS, 0);
  }

  /** [rows, 9 width]: for each patch its 3 x 3 neighbourhood, zeros outside the grid. */
  private void neighbourhoods(long x, long columns, TokenLayout layout, int rows, int width) {
    shape(context.launch(gather).address(x).address(columns), layout, rows, width)
        .on(blocks(rows, GATHER_ROWS), 1, 1, TAPS * WARP, 0);
  }

  private void scatterNeighbourhoods(
      long columns, long dx, TokenLayout layout, int rows, int width) {
    shape(context.launch(scatter).address(columns).address(dx), layout, rows, width)
        .on(blocks(rows, WARPS), 1, 1, WARPS * WARP, 0);
  }

  private static Launch shape(Launch launch, TokenLayout layout, int rows, int width) {
    return launch
        .int32(rows)
        .int32(layout.tokens())
        .int32(layout.prefix())
        .int32(layout.gridHeight())
        .int32(layout.gridWidth())
        .int32(width);
  }

  private static int samplesOfPiece(TokenLayout layout, int width) {
    long samples = PIECE_BYTES / neighbourhoodBytes(layout, 1, width);
    return (int) Math.max(1, Math.min(samples, layout.batch()));
  }

  private static int rowsOfPiece(TokenLayout layout, int first, int piece) {
    return Math.min(piece, layout.batch() - first) * layout.tokens();
  }

  private static long neighbourhoodBytes(TokenLayout layout, int samples, int width) {
    return Math.multiplyExact(4L * samples * layout.tokens(), (long) TAPS * width);
  }

  private static int blocks(int n, int size) {
    return (int) (((long) n + size - 1) / size);
  }

  private static void requireGrid(TokenLayout layout) {
    if (layout.gridHeight() == 0) {
      throw new IllegalArgumentException(
          "conv3x3 needs tokens on a grid: use the sequence generator for these");
    }
  }
}
