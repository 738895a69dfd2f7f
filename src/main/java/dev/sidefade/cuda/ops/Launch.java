package dev.sidefade.cuda.ops;

import dev.sidefade.cuda.CudaKernel;

/**
 * A launch being put together: arguments in the order of the kernel's parameters, then {@link #on}.
 * One object is used again for every launch; nothing is allocated.
 */
final class Launch {
  private final Call call = new Call();
  private final Queue queue;

  Launch(Queue queue) {
    this.queue = queue;
  }

  Launch begin(CudaKernel kernel) {
    call.begin(Call.Kind.KERNEL, kernel);
    return this;
  }

  /** A pointer. */
  Launch address(long a) {
    call.int64(a);
    return this;
  }

  /** An {@code int}. */
  Launch int32(int v) {
    call.int32(v);
    return this;
  }

  /** A {@code long long}. */
  Launch int64(long v) {
    call.int64(v);
    return this;
  }

  /** A {@code float}. */
  Launch float32(float v) {
    call.float32(v);
    return this;
  }

  /**
   * Enqueues the launch.
   *
   * @param gridX blocks, at least 1: who has nothing to do does not launch
   * @throws IllegalArgumentException if a number of blocks or threads is out of range
   */
  void on(long gridX, int gridY, int gridZ, int threads, int sharedBytes) {
    if (gridX < 1 || gridX > Integer.MAX_VALUE || gridY < 1 || gridZ < 1 || threads < 1) {
      throw new IllegalArgumentException(
          "a grid of "
              + gridX
              + " x "
              + gridY
              + " x "
              + gridZ
              + " blocks of "
              + threads
              + " threads cannot be launched");
    }
    queue.submit(call.shape((int) gridX, gridY, gridZ, threads, sharedBytes));
  }
}
