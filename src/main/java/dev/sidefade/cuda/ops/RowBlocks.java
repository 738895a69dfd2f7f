package dev.sidefade.cuda.ops;

/** How many rows a block takes in kernels that copy rows chunk by chunk. */
final class RowBlocks {
  /** Chunks of a block: several for each of its 256 threads. */
  private static final int CHUNKS_OF_BLOCK = 1024;

  static final int THREADS = 256;

  private RowBlocks() {}

  static int rowsOfBlock(int width, int chunk) {
    return Math.max(1, CHUNKS_OF_BLOCK / ((width + chunk - 1) / chunk));
  }

  static int blocks(int rows, int rowsOfBlock) {
    return (rows + rowsOfBlock - 1) / rowsOfBlock;
  }
}
