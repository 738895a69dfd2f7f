package dev.sidefade.cpu;

/** What every operation needs: row primitives, threads, scratch, matrix products. */
record Context(RowMath rows, Workers workers, Memory memory, OrtGemm gemm) {
  /**
   * Rows of a partial sum. Sums over rows are taken in blocks of this many and the blocks are added
   * in order, so that the result does not depend on the number of threads.
   */
  static final int ROW_BLOCK = 64;

  /** Elements of a task of an element-wise loop. */
  static final int ELEMENT_BLOCK = 1 << 14;

  /** Body of a loop over a range. */
  @FunctionalInterface
  interface Range {
    void run(int from, int to);
  }

  /** Splits rows [0, count) into blocks and runs them in parallel. */
  void overRows(int count, Range body) {
    over(count, ROW_BLOCK, body);
  }

  /**
   * Splits a flat vector into blocks and runs them in parallel; the body gets an offset in floats
   * and a count.
   */
  void overElements(long count, ElementRange body) {
    int tasks = Math.toIntExact((count + ELEMENT_BLOCK - 1) / ELEMENT_BLOCK);
    workers.run(
        tasks,
        (task, worker) -> {
          long from = (long) task * ELEMENT_BLOCK;
          body.run(from, (int) Math.min(ELEMENT_BLOCK, count - from));
        });
  }

  /** Body of a loop over a flat vector. */
  @FunctionalInterface
  interface ElementRange {
    void run(long from, int count);
  }

  void over(int count, int block, Range body) {
    int tasks = (count + block - 1) / block;
    workers.run(
        tasks, (task, worker) -> body.run(task * block, Math.min(count, (task + 1) * block)));
  }

  static int blocks(int rows) {
    return (rows + ROW_BLOCK - 1) / ROW_BLOCK;
  }

  /** target[width] = sum over blocks of partial[block][width], blocks in order. */
  void sumBlocks(long partial, int blocks, int width, long target) {
    RawMemory.zero(target, width);
    for (int b = 0; b < blocks; b++) {
      rows.add(partial + 4L * b * width, target, width);
    }
  }

  /** target[width] = column sums of x[rows][width]. */
  void columnSums(long x, int count, int width, long target) {
    long mark = memory.mark();
    int blocks = blocks(count);
    long partial = memory.take((long) blocks * width);
    overRows(
        count,
        (from, to) -> {
          long sums = partial + 4L * (from / ROW_BLOCK) * width;
          RawMemory.zero(sums, width);
          for (int r = from; r < to; r++) {
            rows.add(x + 4L * r * width, sums, width);
          }
        });
    sumBlocks(partial, blocks, width, target);
    memory.release(mark);
  }
}
