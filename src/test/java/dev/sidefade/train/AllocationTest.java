package dev.sidefade.train;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.management.ThreadMXBean;
import dev.sidefade.distill.Direction;
import dev.sidefade.kernels.TokenLayout;
import java.lang.management.ManagementFactory;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** A training step must not feed the garbage collector. */
class AllocationTest {
  private static final ThreadMXBean THREADS = (ThreadMXBean) ManagementFactory.getThreadMXBean();

  private static final long LIMIT = 100_000;

  /**
   * The compiler works beside the training, so how many steps the warm-up takes is not known: ten
   * groups at most.
   */
  @Test
  void aStepAllocatesNextToNothing() {
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
      assertTrue(threads.length >= 2);
      List<Long> perStep = new ArrayList<>();
      int steps = 8;
      do {
        long before = allocated(threads);
        for (int i = 0; i < steps; i++) {
          run.path.step(batch, (long) perStep.size() * steps + i, losses);
        }
        perStep.add((allocated(threads) - before) / steps);
      } while (perStep.getLast() >= LIMIT && perStep.size() < 10);
      assertTrue(perStep.getLast() < LIMIT, () -> "bytes per step, by groups: " + perStep);
      assertEquals(threads.length, threads().length, "a step starts no threads");
    }
  }

  /** This thread and those of all CPU devices. */
  private static long[] threads() {
    return Thread.getAllStackTraces().keySet().stream()
        .filter(t -> t == Thread.currentThread() || t.getName().startsWith("sidefade-cpu-"))
        .mapToLong(Thread::threadId)
        .toArray();
  }

  private static long allocated(long[] threads) {
    return Arrays.stream(THREADS.getThreadAllocatedBytes(threads)).filter(b -> b > 0).sum();
  }
}
