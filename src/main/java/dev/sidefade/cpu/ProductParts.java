package dev.sidefade.cpu;

/**
 * A prepared matrix product in parts that run side by side, and the sum of their results where the
 * parts are of one sum.
 */
final class ProductParts {
  /** Operations below which a part takes hardly longer than its call. */
  private static final long LEAST_WORK = 1_500_000;

  /** Rows of a block of a sum: fewer would read and write the sums more often than it is worth. */
  private static final int LEAST_SUMMED_ROWS = 256;

  private static final int MOST_SUMS = 8;

  /** Floats of the sums of all blocks together: 8 MiB. */
  private static final long MOST_SUMMED = 1L << 21;

  private static final int SUM_BLOCK = 1 << 13;

  private final MatrixEngine.Call[] calls;
  private final Workers.Body call;
  private final long target;
  private final long others;
  private final long size;

  /** Parts that write different rows. */
  ProductParts(MatrixEngine.Call[] calls) {
    this(calls, 0, 0, 0);
  }

  /**
   * Parts of a sum.
   *
   * @param target address of the sum, where the first part writes
   * @param others address of what the other parts write, one after the other
   * @param size floats of each
   */
  ProductParts(MatrixEngine.Call[] calls, long target, long others, long size) {
    this.calls = calls;
    this.call = (part, worker) -> calls[part].run();
    this.target = target;
    this.others = others;
    this.size = size;
  }

  /** How many parts for c [m, n] over k, a matter of speed alone. */
  static int blocksOfRows(int m, int n, int k, int threads) {
    return Math.clamp(Math.min(work(m, n, k) / LEAST_WORK, m / 16), 1, threads);
  }

  /** How many parts for the sum over {@code rows} of products [m, n]: from the shape alone. */
  static int blocksOfSum(int rows, int m, int n) {
    int parts = 1;
    while (parts < MOST_SUMS
        && rows / (2 * parts) >= LEAST_SUMMED_ROWS
        && work(rows, m, n) / (2L * parts) >= LEAST_WORK
        && 2L * parts * m * n <= MOST_SUMMED) {
      parts *= 2;
    }
    return parts;
  }

  static boolean isSmall(int m, int n, int k) {
    return work(m, n, k) < 4 * LEAST_WORK;
  }

  private static long work(long m, long n, long k) {
    return 2 * m * n * k;
  }

  /** First row of a part. */
  static int start(int rows, int parts, int part) {
    return (int) ((long) rows * part / parts);
  }

  void run(Workers workers, RowMath rows) {
    workers.run(calls.length, call);
    if (size > 0 && calls.length > 1) {
      sum(workers, rows);
    }
  }

  private void sum(Workers workers, RowMath rows) {
    int tasks = Math.toIntExact((size + SUM_BLOCK - 1) / SUM_BLOCK);
    workers.run(
        tasks,
        (task, worker) -> {
          long from = (long) task * SUM_BLOCK;
          int n = (int) Math.min(SUM_BLOCK, size - from);
          for (int part = 1; part < calls.length; part++) {
            rows.add(others + 4 * ((part - 1) * size + from), target + 4 * from, n);
          }
        });
  }

  void close() {
    for (MatrixEngine.Call each : calls) {
      each.close();
    }
  }
}
