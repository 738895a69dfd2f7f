package dev.sidefade.cuda.ops;

import dev.sidefade.cuda.CudaDevice;
import dev.sidefade.cuda.CudaKernel;
import dev.sidefade.tensor.DType;
import dev.sidefade.tensor.Tensor;

/**
 * The projection of the ladder over the rows whose coefficient is not 0 ({@code kernels/ladder.cu},
 * {@code ladder_project_*.cuh}). Which rows these are is found on the device, so everything is
 * launched for all rows and blocks without rows leave.
 */
final class LadderProjection {
  private static final String FILE = "ladder";

  /** Columns of a tile that there are kernels for. */
  private static final int[] COLUMNS = {32, 64, 96};

  /** Rows of a tile forward, features of a tile backward. */
  private static final int TILE = 128;

  /** Features of a step of the forward kernels on tensor cores. */
  private static final int STEP = 64;

  /** Rows that a block of the selection looks at, and integers before the first row's number. */
  private static final int SELECT_ROWS = 4096;

  private static final int SELECT_HEADER = 64;
  private static final int THREADS = 256;
  private static final int HALF_THREADS = 128;

  /**
   * How rows are split for the weight's gradient: into pieces of no less than so many rows, and no
   * more of them than give so many blocks. It depends on shapes alone, since it decides in which
   * order sums are formed.
   */
  private static final int CHUNK_ROWS = 512;

  private static final long BLOCKS = 192;

  /** The first compute capability with tensor cores for BF16. */
  private static final int BF16_CAPABILITY = 8;

  private final Context context;
  private final CudaKernel select;
  private final CudaKernel biasBackward;
  private final CudaKernel finish;
  private final int stages;
  private final boolean bf16;
  private final TypedKernel roundWeight;
  private final TypedKernel[] forward;
  private final TypedKernel[] backward;

  LadderProjection(Context context) {
    this.context = context;
    select = context.kernel(FILE, "ladder_select");
    biasBackward = context.kernel(FILE, "ladder_bias_backward");
    finish = context.kernel(FILE, "ladder_project_finish");
    roundWeight = new TypedKernel(context, FILE, "ladder_round_weight_", "");
    forward = kernels("ladder_project_");
    backward = kernels("ladder_project_backward_");
    CudaDevice device = select.module().context().device();
    int widest = COLUMNS[COLUMNS.length - 1];
    // the kernel's list of rows takes the rest
    stages = forwardBytes(3, widest) + 4 * TILE <= device.sharedBytesPerBlock() ? 3 : 2;
    bf16 = device.major() >= BF16_CAPABILITY;
  }

  private TypedKernel[] kernels(String name) {
    TypedKernel[] kernels = new TypedKernel[COLUMNS.length];
    for (int size = 0; size < COLUMNS.length; size++) {
      kernels[size] = new TypedKernel(context, FILE, name, "_" + COLUMNS[size]);
    }
    return kernels;
  }

  void forward(Tensor h, Tensor weight, Tensor bias, Tensor c, Tensor u) {
    int rows = Checks.rows(h);
    int base = Checks.width(h);
    int side = Checks.width(u);
    long features = features(h, rows, base);
    long target = Checks.matrix("u of ladder", u, rows, side);
    long w = Checks.exact("weight of ladder", weight, base, side);
    long b = Checks.vector("bias of ladder", bias, side);
    long coefficients = Checks.vectorOrNull("c of ladder", c, rows);
    if (rows == 0 || side == 0) {
      return;
    }
    int mark = context.scratch().mark();
    long list = selected(coefficients, rows);
    int size = size(side);
    int columns = COLUMNS[size];
    long tiles = Math.multiplyExact(blocks(rows, TILE), blocks(side, columns));
    CudaKernel kernel = forward[size].of(h.dtype());
    if (h.dtype() == DType.F32) {
      context
          .launch(kernel)
          .address(features)
          .address(w)
          .address(b)
          .address(list)
          .address(target)
          .int32(rows)
          .int32(base)
          .int32(side)
          .on(tiles, 1, 1, THREADS, 0);
    } else {
      int paddedBase = Math.toIntExact(blocks(base, STEP) * STEP);
      long rounded = rounded(w, base, side, paddedBase, columns, h.dtype());
      int shared = forwardBytes(stages, columns);
      kernel.allowShared(shared);
      context
          .launch(kernel)
          .address(features)
          .address(rounded)
          .address(b)
          .address(list)
          .address(target)
          .int32(rows)
          .int32(base)
          .int32(paddedBase)
          .int32(side)
          .int32(stages)
          .on(tiles, 1, 1, HALF_THREADS, shared);
    }
    context.scratch().release(mark);
  }

  void backward(Tensor h, Tensor du, Tensor c, Tensor dWeight, Tensor dBias) {
    int rows = Checks.rows(h);
    int base = Checks.width(h);
    int side = Checks.width(du);
    long features = features(h, rows, base);
    long gradient = Checks.matrix("du of ladder", du, rows, side);
    long toWeight = Checks.exact("dWeight of ladder", dWeight, base, side);
    long toBias = Checks.vector("dBias of ladder", dBias, side);
    long coefficients = Checks.vectorOrNull("c of ladder", c, rows);
    if (rows == 0 || side == 0) {
      context.zero(toWeight, dWeight.bytes());
      context.zero(toBias, dBias.bytes());
      return;
    }
    int mark = context.scratch().mark();
    long list = selected(coefficients, rows);
    int size = size(side);
    long tiles = Math.multiplyExact(blocks(base, TILE), blocks(side, COLUMNS[size]));
    int chunks = (int) Math.max(1, Math.min(blocks(rows, CHUNK_ROWS), BLOCKS / tiles));
    long slot = Math.multiplyExact(base + 1L, side);
    long slots = context.scratch().take(4 * Math.multiplyExact(slot, chunks));
    long largest = context.scratch().take(4L * chunks * blocks(side, 32));
    context
        .launch(biasBackward)
        .address(gradient)
        .address(list)
        .address(slots)
        .address(largest)
        .int32(rows)
        .int32(base)
        .int32(side)
        .on(chunks, Math.toIntExact(blocks(side, 32)), 1, THREADS, 0);
    weightBackward(features, gradient, list, largest, slots, rows, base, side, chunks, h.dtype());
    context
        .launch(finish)
        .address(slots)
        .address(toWeight)
        .address(toBias)
        .int32(base)
        .int32(side)
        .int32(chunks)
        .on(blocks(slot, THREADS), 1, 1, THREADS, 0);
    context.scratch().release(mark);
  }

  private void weightBackward(
      long features,
      long gradient,
      long list,
      long largest,
      long slots,
      int rows,
      int base,
      int side,
      int chunks,
      DType dtype) {
    int size = size(side);
    CudaKernel kernel = backward[size].of(dtype);
    boolean half = dtype != DType.F32;
    int shared = half ? backwardBytes(COLUMNS[size]) : 0;
    kernel.allowShared(shared);
    Launch launch = context.launch(kernel).address(features).address(gradient).address(list);
    if (half) {
      launch.address(largest);
    }
    launch
        .address(slots)
        .int32(rows)
        .int32(base)
        .int32(side)
        .int32(chunks)
        .on(
            chunks * Math.multiplyExact(blocks(base, TILE), blocks(side, COLUMNS[size])),
            1,
            1,
            half ? HALF_THREADS : THREADS,
            shared);
  }

  private long features(Tensor h, int rows, int base) {
    long address = Checks.features("h of ladder", h, rows, base);
    if (h.dtype() == DType.BF16 && !bf16) {
      throw new IllegalArgumentException(
          "h of ladder holds BF16, which needs compute capability "
              + BF16_CAPABILITY
              + ".0 or more: use F16 or F32 on "
              + select.module().context().device().describe());
    }
    return address;
  }

  /** The list of the rows whose coefficient is not 0, in scratch; 0 for all rows. */
  private long selected(long coefficients, int rows) {
    if (coefficients == 0) {
      return 0;
    }
    long list = context.scratch().take(4L * (SELECT_HEADER + (long) rows));
    context
        .launch(select)
        .address(coefficients)
        .address(list)
        .int32(rows)
        .on(blocks(rows, SELECT_ROWS), 1, 1, THREADS, 0);
    return list;
  }

  /** The weight in the features' type, transposed and padded to whole tiles, in scratch. */
  private long rounded(long weight, int base, int side, int paddedBase, int columns, DType dtype) {
    long paddedSide = blocks(side, columns) * columns;
    long rounded =
        context.scratch().take(dtype.bytes() * Math.multiplyExact(paddedSide, (long) paddedBase));
    context
        .launch(roundWeight.of(dtype))
        .address(weight)
        .address(rounded)
        .int32(base)
        .int32(side)
        .int32(paddedBase)
        .on(paddedBase / 32, Math.toIntExact(paddedSide / 32), 1, THREADS, 0);
    return rounded;
  }

  /**
   * Which kernel: the narrowest tile that holds all columns, since every tile reads the features;
   * where none does, the one that leaves fewer columns of its tiles empty.
   */
  private static int size(int side) {
    for (int i = 0; i < COLUMNS.length; i++) {
      if (side <= COLUMNS[i]) {
        return i;
      }
    }
    return blocks(side, COLUMNS[1]) * COLUMNS[1] < blocks(side, COLUMNS[2]) * COLUMNS[2] ? 1 : 2;
  }

  /** Shared memory of {@code ladder_project_*}: tiles of features and of the weight. */
  private static int forwardBytes(int stages, int columns) {
    return stages * (TILE + columns) * STEP * 2;
  }

  /** Shared memory of {@code ladder_project_backward_*}: three tiles of features, two of du. */
  private static int backwardBytes(int columns) {
    return 3 * 32 * TILE * 2 + 2 * 2 * 32 * (2 * columns + 16);
  }

  private static long blocks(long count, int size) {
    return (count + size - 1) / size;
  }
}
