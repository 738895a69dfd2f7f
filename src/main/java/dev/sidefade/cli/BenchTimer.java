package dev.sidefade.cli;

import dev.sidefade.kernels.Device;
import dev.sidefade.tensor.Tensor;
import java.lang.management.CompilationMXBean;
import java.lang.management.ManagementFactory;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;

/**
 * Times calls on a device: warm-up for a third of the time, then samples. A sample is as many calls
 * as take some milliseconds, so that the clock and, on a GPU, the wait for the end of them do not
 * count.
 */
final class BenchTimer implements AutoCloseable {
  private static final int FEWEST = 5;
  private static final int MOST = 200;
  private static final int MOST_CALLS = 10_000;
  private static final double SAMPLE_NANOS = 2e6;
  private static final int MOST_ROUNDS = 10;

  /** Share of the time that Java's compiler may still take when it has done what matters. */
  private static final double STILL_COMPILING = 0.05;

  private final Device device;
  private final long nanos;

  /** Reading it waits for what was asked of the device before. */
  private final Tensor end;

  /**
   * @param budget time for each operation
   */
  BenchTimer(Device device, Duration budget) {
    this.device = device;
    this.nanos = budget.toNanos();
    this.end = device.allocate(1);
  }

  /**
   * Calls all of them in turn until Java's compiler has hardly anything left to do: before, vectors
   * are slower by a factor of a hundred.
   */
  void warmUp(List<Runnable> calls) {
    CompilationMXBean compiler = ManagementFactory.getCompilationMXBean();
    for (int round = 0; compiler != null && round < MOST_ROUNDS; round++) {
      long before = compiler.getTotalCompilationTime();
      long begin = System.nanoTime();
      for (Runnable call : calls) {
        long own = System.nanoTime();
        do {
          sample(call, 1);
        } while (System.nanoTime() - own < nanos / 3);
      }
      double millis = (System.nanoTime() - begin) / 1e6;
      if (compiler.getTotalCompilationTime() - before < STILL_COMPILING * millis) {
        return;
      }
    }
  }

  /** Microseconds of one call, sorted. */
  double[] measure(Runnable call) {
    long begin = System.nanoTime();
    int calls = 1;
    double last = sample(call, calls);
    while (System.nanoTime() - begin < nanos / 3) {
      if (last * calls < SAMPLE_NANOS && calls < MOST_CALLS) {
        calls = Math.min(MOST_CALLS, calls * 2);
      }
      last = sample(call, calls);
    }
    double[] samples = new double[MOST];
    int count = 0;
    while (count < FEWEST || count < MOST && System.nanoTime() - begin < nanos) {
      samples[count] = sample(call, calls) / 1e3;
      count++;
    }
    double[] sorted = Arrays.copyOf(samples, count);
    Arrays.sort(sorted);
    return sorted;
  }

  /** Nanoseconds of one of several calls. */
  private double sample(Runnable call, int calls) {
    long begin = System.nanoTime();
    for (int i = 0; i < calls; i++) {
      call.run();
    }
    end.get(0);
    return (double) (System.nanoTime() - begin) / calls;
  }

  /** The value below which a share of sorted samples lies. */
  static double quantile(double[] sorted, double share) {
    double at = share * (sorted.length - 1);
    int low = (int) at;
    int high = Math.min(low + 1, sorted.length - 1);
    return sorted[low] + (at - low) * (sorted[high] - sorted[low]);
  }

  @Override
  public void close() {
    end.close();
  }
}
