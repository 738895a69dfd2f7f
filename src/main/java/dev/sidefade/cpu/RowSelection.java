package dev.sidefade.cpu;

/**
 * The rows of a matrix that an operation needs, so that the others are not read.
 *
 * @param indices address of {@code count} row numbers, 4 bytes each; 0 when all rows are needed
 * @param count number of rows needed
 * @param all whether every row is needed
 */
record RowSelection(long indices, int count, boolean all) {

  /** Rows whose weight is not 0; all rows when {@code weights} is 0. */
  static RowSelection nonZero(long weights, int rows, Memory memory) {
    if (weights == 0) {
      return new RowSelection(0, rows, true);
    }
    long indices = memory.take(rows);
    int count = 0;
    for (int r = 0; r < rows; r++) {
      if (RawMemory.get(weights + 4L * r) != 0) {
        RawMemory.setInt(indices + 4L * count++, r);
      }
    }
    return new RowSelection(indices, count, count == rows);
  }

  int row(int i) {
    return all ? i : RawMemory.getInt(indices + 4L * i);
  }

  /** The selected rows one after the other, in scratch memory. */
  long gather(long matrix, int width, Memory memory) {
    long compact = memory.take((long) count * width);
    for (int i = 0; i < count; i++) {
      RawMemory.copy(matrix + 4L * row(i) * width, compact + 4L * i * width, width);
    }
    return compact;
  }

  /** Writes compact rows back to their places; other rows are left alone. */
  void scatter(long compact, long matrix, int width) {
    for (int i = 0; i < count; i++) {
      RawMemory.copy(compact + 4L * i * width, matrix + 4L * row(i) * width, width);
    }
  }
}
