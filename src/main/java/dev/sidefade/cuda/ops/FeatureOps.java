package dev.sidefade.cuda.ops;

import dev.sidefade.cuda.CudaDevice;
import dev.sidefade.cuda.CudaKernel;
import dev.sidefade.tensor.DType;
import dev.sidefade.tensor.Tensor;

/**
 * Low-rank alignment and squared error against the backbone's features, with all gradients ({@code
 * kernels/feature_matching.cu}). Which rows count is found on the device, so everything is launched
 * for all rows and blocks without rows do nothing.
 */
final class FeatureOps {
  private static final String FILE = "feature_matching";

  /** Ranks that there are kernels for; beyond the last, cuBLAS multiplies. */
  private static final int[] RANKS = {16, 32, 48, 64};

  /** Rows that a block of the selection looks at, and integers before the first row's number. */
  private static final int SELECT_ROWS = 4096;

  private static final int SELECT_HEADER = 64;

  private static final int THREADS = 256;
  private static final int SMALL_THREADS = 128;

  /** Rows of a tile, and columns of a block of the fused kernel. */
  private static final int TILE = 32;

  private static final int BLOCK_COLUMNS = 256;

  /**
   * How many blocks the fused kernel has at most, and how many runs of rows the one after it. They
   * decide in which order sums are formed, so they do not depend on the device.
   */
  private static final long BLOCKS = 256;

  private static final int DECODE_RUNS = 64;

  /** Rows whose residual is in memory at a time where cuBLAS multiplies. */
  private static final int WIDE_ROWS = 1024;

  /** The first compute capability with tensor cores for BF16. */
  private static final int BF16_CAPABILITY = 8;

  private final Context context;
  private final CudaKernel select;
  private final CudaKernel decode;
  private final CudaKernel finish;
  private final TypedKernel moments;
  private final TypedKernel encode;
  private final TypedKernel residual;
  private final TypedKernel[] fused = new TypedKernel[RANKS.length];

  FeatureOps(Context context) {
    this.context = context;
    select = context.kernel("ladder", "ladder_select");
    decode = context.kernel(FILE, "feature_decode");
    finish = context.kernel(FILE, "feature_finish");
    moments = new TypedKernel(context, FILE, "feature_moments_", "");
    encode = new TypedKernel(context, FILE, "feature_encode_", "");
    residual = new TypedKernel(context, FILE, "feature_residual_", "");
    for (int i = 0; i < RANKS.length; i++) {
      fused[i] = new TypedKernel(context, FILE, "feature_matching_", "_" + RANKS[i]);
    }
  }

  void matching(
      Tensor z,
      Tensor down,
      Tensor up,
      Tensor h,
      Tensor v,
      float weight,
      boolean standardize,
      Tensor loss,
      Tensor dz,
      Tensor dDown,
      Tensor dUp) {
    int rows = Checks.rows(z);
    int side = Checks.width(z);
    int rank = Checks.width(down);
    int wide = Checks.width(h);
    long state = Checks.matrix("z of featureMatching", z, rows, side);
    long target = features(h, rows, wide);
    long toZ = Checks.matrix("dz of featureMatching", dz, rows, side);
    long counts = Checks.vectorOrNull("v of featureMatching", v, rows);
    long toRank = Checks.exact("down of featureMatching", down, side, rank);
    long fromRank = Checks.exact("up of featureMatching", up, rank, wide);
    long toDown = Checks.exact("dDown of featureMatching", dDown, side, rank);
    long toUp = Checks.exact("dUp of featureMatching", dUp, rank, wide);
    long lossAt = Checks.vector("loss of featureMatching", loss, 1);
    if (rows == 0 || wide == 0) {
      context.zero(toDown, dDown.bytes());
      context.zero(toUp, dUp.bytes());
      context.zero(lossAt, 4);
      return;
    }
    int mark = context.scratch().mark();
    long factor = context.values().begin(4).putFloat(weight).send();
    Shape s = new Shape(rows, side, rank, wide, selected(counts, rows));
    Residuals r = residuals(s, h.dtype(), state, toRank, fromRank, target, standardize);
    long downRuns = Math.min(DECODE_RUNS, blocks(rows, TILE));
    long downParts = take(downRuns, side, rank);
    if (side > 0) {
      context
          .launch(decode)
          .address(state)
          .address(toRank)
          .address(s.list())
          .address(r.de())
          .address(factor)
          .address(toZ)
          .address(downParts)
          .int32(r.deParts())
          .int32(rows)
          .int32(side)
          .int32(rank)
          .int32(wide)
          .on(downRuns, Math.toIntExact(blocks(side, 32)), 1, SMALL_THREADS, 0);
    }
    context
        .launch(finish)
        .address(downParts)
        .address(r.dup())
        .address(r.squares())
        .address(factor)
        .address(s.list())
        .address(toDown)
        .address(toUp)
        .address(lossAt)
        .int32((int) downRuns)
        .int32(r.dupParts())
        .int64(r.squaresCount())
        .int32(rows)
        .int32(side)
        .int32(rank)
        .int32(wide)
        .on(blocks(((long) side + wide) * rank, THREADS) + 1, 1, 1, THREADS, 0);
    context.scratch().release(mark);
  }

  /** Sizes, and the list of the rows that count: 0 when all do. */
  private record Shape(int rows, int side, int rank, int wide, long list) {}

  /** What comes of the residuals, each in parts to be added up: addresses and numbers of parts. */
  private record Residuals(
      long de, int deParts, long dup, int dupParts, long squares, long squaresCount) {}

  private Residuals residuals(
      Shape s, DType dtype, long z, long down, long up, long h, boolean standardize) {
    long rowMoments = standardize ? moments(s, dtype, h) : 0;
    int size = size(s.rank(), dtype);
    if (size == RANKS.length) {
      return withCublas(s, dtype, encoded(s, DType.F32, s.rank(), z, down), up, h, rowMoments);
    }
    long e = encoded(s, dtype, dtype == DType.F32 ? s.rank() : RANKS[size], z, down);
    int columnBlocks = Math.toIntExact(blocks(s.wide(), BLOCK_COLUMNS));
    int runs = (int) Math.min(blocks(s.rows(), TILE), Math.max(1, BLOCKS / columnBlocks));
    Residuals r =
        new Residuals(
            take(columnBlocks, s.rows(), s.rank()),
            columnBlocks,
            take(runs, s.rank(), s.wide()),
            runs,
            take(runs, columnBlocks, 1),
            (long) runs * columnBlocks);
    context
        .launch(fused[size].of(dtype))
        .address(e)
        .address(up)
        .address(h)
        .address(rowMoments)
        .address(s.list())
        .address(r.de())
        .address(r.dup())
        .address(r.squares())
        .int32(s.rows())
        .int32(s.wide())
        .int32(s.rank())
        .on(runs, columnBlocks, 1, THREADS, 0);
    return r;
  }

  /** The residuals of some rows at a time in memory, between products of cuBLAS. */
  private Residuals withCublas(Shape s, DType dtype, long e, long up, long h, long rowMoments) {
    int most = Math.min(WIDE_ROWS, s.rows());
    long f = take(1, most, s.wide());
    Residuals r =
        new Residuals(
            take(1, s.rows(), s.rank()),
            1,
            take(1, s.rank(), s.wide()),
            1,
            take(1, 1, s.rows()),
            s.rows());
    for (int first = 0; first < s.rows(); first += most) {
      int n = Math.min(most, s.rows() - first);
      long offset = 4L * first * s.rank();
      context.gemm(e + offset, false, up, false, f, n, s.wide(), s.rank(), 0);
      context
          .launch(residual.of(dtype))
          .address(f)
          .address(h)
          .address(rowMoments)
          .address(s.list())
          .address(r.squares())
          .int32(s.rows())
          .int32(first)
          .int32(s.wide())
          .on(n, 1, 1, THREADS, 0);
      context.gemm(f, false, up, true, r.de() + offset, n, s.rank(), s.wide(), 0);
      context.gemm(e + offset, true, f, false, r.dup(), s.rank(), s.wide(), n, first == 0 ? 0 : 1);
    }
    return r;
  }

  private long moments(Shape s, DType dtype, long h) {
    long result = take(1, s.rows(), 2);
    context
        .launch(moments.of(dtype))
        .address(h)
        .address(s.list())
        .address(result)
        .int32(s.rows())
        .int32(s.wide())
        .on(blocks(s.rows(), 8), 1, 1, THREADS, 0);
    return result;
  }

  /** z down in rows of {@code stride} elements, in scratch. */
  private long encoded(Shape s, DType dtype, int stride, long z, long down) {
    long e =
        context.scratch().take(dtype.bytes() * Math.multiplyExact((long) s.rows(), (long) stride));
    context
        .launch(encode.of(dtype))
        .address(z)
        .address(down)
        .address(s.list())
        .address(e)
        .int32(s.rows())
        .int32(s.side())
        .int32(s.rank())
        .int32(stride)
        .on(
            blocks(s.rows(), TILE),
            Math.toIntExact(Math.max(1, blocks(stride, 16))),
            1,
            SMALL_THREADS,
            0);
    return e;
  }

  /** The list of the rows that count, in scratch; 0 for all rows. */
  private long selected(long counts, int rows) {
    if (counts == 0) {
      return 0;
    }
    long list = context.scratch().take(4L * (SELECT_HEADER + (long) rows));
    context
        .launch(select)
        .address(counts)
        .address(list)
        .int32(rows)
        .on(blocks(rows, SELECT_ROWS), 1, 1, THREADS, 0);
    return list;
  }

  private long features(Tensor h, int rows, int wide) {
    long address = Checks.features("h of featureMatching", h, rows, wide);
    CudaDevice device = finish.module().context().device();
    if (h.dtype() == DType.BF16 && device.major() < BF16_CAPABILITY) {
      throw new IllegalArgumentException(
          "h of featureMatching holds BF16, which needs compute capability "
              + BF16_CAPABILITY
              + ".0 or more: use F16 or F32 on "
              + device.describe());
    }
    return address;
  }

  /** Which of the fused kernels; {@code RANKS.length} for none. */
  private static int size(int rank, DType dtype) {
    for (int i = 0; i < RANKS.length; i++) {
      // multiply-adds have no kernel for 48: its registers would spill
      if (rank <= RANKS[i] && !(dtype == DType.F32 && RANKS[i] == 48)) {
        return i;
      }
    }
    return RANKS.length;
  }

  /** F32 scratch for a [a, b, c]. */
  private long take(long a, long b, long c) {
    return context
        .scratch()
        .take(Math.multiplyExact(4L, Math.multiplyExact(Math.multiplyExact(a, b), c)));
  }

  private static long blocks(long count, int size) {
    return (count + size - 1) / size;
  }
}
