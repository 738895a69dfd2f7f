package dev.sidefade.bench;

import dev.sidefade.bench.tables.Work;
import dev.sidefade.tensor.Tensor;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import org.openjdk.jmh.annotations.Benchmark;

/**
 * What the machine copies: memory that no cache holds, in equal parts by as many threads as the
 * device has. Rates of operations that are bound by memory are held against it.
 */
public class CopyBenchmark extends OnDevice {
  private ExecutorService workers;
  private List<Callable<Void>> parts;

  @Override
  void prepare() {
    Tensor from = random(Work.COPIED / Float.BYTES);
    Tensor to = zeros(Work.COPIED / Float.BYTES);
    to.copyFrom(from);
    parts = new ArrayList<>();
    long part = Work.COPIED / threads;
    for (int i = 0; i < threads; i++) {
      long begin = i * part;
      long bytes = i == threads - 1 ? Work.COPIED - begin : part;
      parts.add(() -> {
        MemorySegment.copy(from.segment(), begin, to.segment(), begin, bytes);
        return null;
      });
    }
    workers = Executors.newFixedThreadPool(threads);
  }

  /** The copy. */
  @Benchmark
  public void copy() throws InterruptedException {
    workers.invokeAll(parts);
  }

  @Override
  void finish() {
    workers.shutdownNow();
  }
}
