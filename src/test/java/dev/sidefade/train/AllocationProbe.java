package dev.sidefade.train;

import com.sun.management.ThreadMXBean;
import dev.sidefade.distill.Direction;
import dev.sidefade.kernels.TokenLayout;
import java.lang.management.ManagementFactory;
import java.util.Arrays;
import java.util.Collections;
import java.util.stream.IntStream;

/**
 * Prints the bytes that a training step allocates on all its threads, after warm-up. Arguments:
 * batch, tokens, backbone width, side width, taps, steps of a measurement.
 */
final class AllocationProbe {
  private static final ThreadMXBean THREADS = (ThreadMXBean) ManagementFactory.getThreadMXBean();
  private static final int MOST_GROUPS = 10;

  private AllocationProbe() {}

  public static void main(String[] args) {
    int[] numbers = Arrays.stream(args).mapToInt(Integer::parseInt).toArray();
    int rows = numbers[0];
    int tokens = numbers[1];
    int width = numbers[2];
    int sideWidth = numbers[3];
    int taps = numbers[4];
    int group = numbers[5];
    Setup setup =
        Setup.with(s -> {
          s.threads = 2;
          s.features = Direction.OFF;
          int side = (int) Math.sqrt(tokens - 1);
          s.layout = new TokenLayout(rows, tokens, 1, side, side);
          s.widths = Collections.nCopies(taps, width);
          s.sideWidth = sideWidth;
          s.labelled = rows;
          s.validation = 1;
        });
    try (Run run = new Run(setup)) {
      run.train.start(0, IntStream.range(0, rows).toArray(), rows);
      FeatureFeed.Batch batch = run.train.next();
      StepLosses losses = new StepLosses();
      long[] threads = threads();
      long bytes = Long.MAX_VALUE;
      // the compiler works beside the training: how many steps the warm-up takes is not known
      for (int g = 0; g < MOST_GROUPS && bytes >= AllocationTest.LIMIT; g++) {
        long before = allocated(threads);
        for (int i = 0; i < group; i++) {
          run.path.step(batch, g * group + i, losses);
        }
        bytes = (allocated(threads) - before) / group;
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
