package dev.sidefade.cli;

import dev.sidefade.kernels.Device;
import dev.sidefade.tensor.Tensor;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

/**
 * The copy of more memory than caches hold, within the device: by all its threads on the
 * processors.
 */
final class BenchCopy implements AutoCloseable {
  private final BenchTensors tensors;
  private final Tensor from;
  private final Tensor to;
  private final ExecutorService workers;
  private final List<Callable<Void>> parts = new ArrayList<>();

  BenchCopy(Device device, int threads, long bytes) {
    tensors = new BenchTensors(device);
    from = tensors.random(bytes / Float.BYTES);
    to = tensors.random(bytes / Float.BYTES);
    workers = Executors.newFixedThreadPool(threads);
    if (device.onHost()) {
      MemorySegment source = from.segment();
      MemorySegment target = to.segment();
      long part = from.bytes() / threads;
      for (int i = 0; i < threads; i++) {
        long begin = i * part;
        long length = i == threads - 1 ? from.bytes() - begin : part;
        parts.add(() -> {
          MemorySegment.copy(source, begin, target, begin, length);
          return null;
        });
      }
    }
  }

  BenchOperation operation() {
    return new BenchOperation(
        "copy", (from.bytes() >> 20) + " MiB", 0, 2.0 * from.bytes(), this::copy);
  }

  private void copy() {
    if (parts.isEmpty()) {
      to.copyFrom(from);
      return;
    }
    try {
      for (Future<Void> part : workers.invokeAll(parts)) {
        part.get();
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("interrupted while copying", e);
    } catch (java.util.concurrent.ExecutionException e) {
      throw new IllegalStateException(e.getCause());
    }
  }

  @Override
  public void close() {
    workers.shutdown();
    tensors.close();
  }
}
