package dev.sidefade.cuda.ops;

import dev.sidefade.cuda.CudaKernel;

/**
 * Sums over rows ({@code kernels/elementwise.cu}), which are taken in slots of rows and then over
 * the slots, in an order that follows from the number of rows alone.
 */
final class ColumnSums {
  private static final int LEAST_ROWS = 64;
  private static final int MOST_SLOTS = 256;
  private static final int COLUMNS_OF_BLOCK = 32;

  private final Context context;
  private final CudaKernel kernel;

  ColumnSums(Context context) {
    this.context = context;
    kernel = context.kernel("elementwise", "column_sums");
  }

  /** target [width] = the sums of the columns of x [rows, width]; zeros where there are no rows. */
  void sum(long x, int rows, int width, long target) {
    int slots = slots(rows);
    if (slots <= 1) {
      sumSlots(x, rows, width, target);
      return;
    }
    int mark = context.scratch().mark();
    long partial = context.scratch().take(4L * slots * width);
    launch(x, rows, width, rowsOfSlot(rows), slots, partial);
    sumSlots(partial, slots, width, target);
    context.scratch().release(mark);
  }

  /** target [width] = the sums over the slots [slots, width]. */
  void sumSlots(long partial, int slots, int width, long target) {
    if (slots == 0) {
      context.zero(target, 4L * width);
    } else {
      launch(partial, slots, width, slots, 1, target);
    }
  }

  private void launch(long x, int rows, int width, int rowsOfSlot, int slots, long target) {
    context
        .launch(kernel)
        .address(x)
        .int64(rows)
        .int32(width)
        .int32(rowsOfSlot)
        .address(target)
        .on(slots, columnBlocks(width), 1, 256, 0);
  }

  /** Rows that one slot sums. */
  static int rowsOfSlot(int rows) {
    return Math.max(LEAST_ROWS, (rows + MOST_SLOTS - 1) / MOST_SLOTS);
  }

  static int slots(int rows) {
    return (rows + rowsOfSlot(rows) - 1) / rowsOfSlot(rows);
  }

  /** Blocks for all columns where each takes a warp's width of them. */
  static int columnBlocks(int width) {
    return (width + COLUMNS_OF_BLOCK - 1) / COLUMNS_OF_BLOCK;
  }
}
