package dev.sidefade.train;

import com.sun.management.ThreadMXBean;
import dev.sidefade.distill.Direction;
import dev.sidefade.kernels.TokenLayout;
import java.lang.management.ManagementFactory;
import java.util.Arrays;
import java.util.Collections;
import java.util.stream.IntStream;

/** Prints the bytes that a training step allocates on all its threads, after warm-up. */
final class AllocationProbe {
  private static final ThreadMXBean THREADS = (ThreadMXBean) ManagementFactory.getThreadMXBean();
  private static final int GROUP = 100;
  private static final int MOST_STEPS = 1000;

  private AllocationProbe() {}

  public static void main(String[] args) {
    Setup setup =
        Setup.with(s -> {
          s.threads = 2;
          s.features = Direction.OFF;
          s.layout = new TokenLayout(64, 17, 1, 4, 4);
          s.widths = Collections.nCopies(7, 128);
          s.sideWidth = 32;
          s.labelled = 64;
          s.validation = 1;
        });
    try (Run run = new Run(setup)) {
      run.train.start(0, IntStream.range(0, 64).toArray(), 64);
      FeatureFeed.Batch batch = run.train.next();
      StepLosses losses = new StepLosses();
      long[] threads = threads();
      long bytes = Long.MAX_VALUE;
      // the compiler works beside the training: how many steps the warm-up takes is not known
      for (int step = 0; step < MOST_STEPS && bytes >= AllocationTest.LIMIT; step += GROUP) {
        long before = allocated(threads);
        for (int i = 0; i < GROUP; i++) {
          run.path.step(batch, step + i, losses);
        }
        bytes = (allocated(threads) - before) / GROUP;
      }
      System.out.println(bytes);
    }
  }

  /** This thread and those of all CPU devices. */
  private static long[] threads() {
    return Thread.getAllStackTraces().keySet().stream()
        .filter(t -> t.equals(Thread.currentThread()) || t.getName().startsWith("sidefade-cpu-"))
        .mapToLong(Thread::threadId)
        .toArray();
  }

  private static long allocated(long[] threads) {
    return Arrays.stream(THREADS.getThreadAllocatedBytes(threads)).filter(b -> b > 0).sum();
  }
}
