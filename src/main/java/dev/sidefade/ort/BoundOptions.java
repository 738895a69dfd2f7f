package dev.sidefade.ort;

import static java.lang.foreign.ValueLayout.ADDRESS;

import java.lang.foreign.MemorySegment;
import java.util.Map;

/** How and where a {@link BoundSession} computes: handles that their owner gives back. */
final class BoundOptions {
  private static final int ERRORS = 3;
  private static final int DEVICE_ALLOCATOR = 0;
  private static final int DEFAULT_MEMORY = 0;

  final long environment;
  final long options;
  final long runOptions;

  /** Memory info of the host. */
  final long hostMemory;

  /** Memory info of where it computes. */
  final long ownMemory;

  private final OrtBinding ort;
  private final OrtLibrary library;
  private final Owned owned;

  /** Whoever calls closes {@code owned}, also if this throws. */
  BoundOptions(OrtBinding ort, Owned owned, BoundMemory memory, int threads) throws Throwable {
    this.ort = ort;
    library = ort.library;
    this.owned = owned;
    environment = owned.environment(library);
    owned.check((long) library.createOptions.invokeExact(owned.out));
    options = owned.take(library.releaseOptions);
    setOptions(threads);
    owned.check((long) ort.createRunOptions.invokeExact(owned.out));
    runOptions = owned.take(ort.releaseRunOptions);
    hostMemory = memoryInfo("Cpu", 0);
    ownMemory =
        switch (memory) {
          case BoundMemory.Host host -> hostMemory;
          case BoundMemory.Cuda cuda -> useCuda(cuda);
        };
  }

  private MemorySegment text(String text) {
    return owned.arena.allocateFrom(text);
  }

  /** The options of all sessions of backbones: see {@code dev.sidefade.backbone.Sessions}. */
  private void setOptions(int threads) throws Throwable {
    owned.check((long) ort.setLogLevel.invokeExact(options, ERRORS));
    owned.check((long) library.setIntraOpThreads.invokeExact(options, threads));
    owned.check((long) ort.setInterOpThreads.invokeExact(options, 1));
    owned.check((long) library.disableMemoryPattern.invokeExact(options));
    MemorySegment key = text("session.intra_op.allow_spinning");
    owned.check((long) library.addConfigEntry.invokeExact(options, key, text("0")));
  }

  private long useCuda(BoundMemory.Cuda cuda) throws Throwable {
    owned.check((long) ort.createCudaOptions.invokeExact(owned.out));
    long cudaOptions = owned.take(ort.releaseCudaOptions);
    Map<String, String> settings =
        Map.of(
            "device_id", Integer.toString(cuda.ordinal()),
            // float32 as on the CPU
            "use_tf32", "0",
            // trying out all algorithms would let the choice, and so the bits, depend on the clock
            "cudnn_conv_algo_search", "HEURISTIC",
            // what it takes it keeps, and the rest of the training needs memory too
            "arena_extend_strategy", "kSameAsRequested");
    MemorySegment keys = owned.arena.allocate(ADDRESS, settings.size());
    MemorySegment values = owned.arena.allocate(ADDRESS, settings.size());
    int i = 0;
    for (Map.Entry<String, String> setting : settings.entrySet()) {
      keys.setAtIndex(ADDRESS, i, text(setting.getKey()));
      values.setAtIndex(ADDRESS, i, text(setting.getValue()));
      i++;
    }
    owned.check((long) ort.updateCudaOptions.invokeExact(cudaOptions, keys, values, (long) i));
    MemorySegment stream = text("user_compute_stream");
    owned.check((long) ort.setCudaPointer.invokeExact(cudaOptions, stream, cuda.stream()));
    owned.check((long) ort.appendCuda.invokeExact(options, cudaOptions));
    // what comes behind on the stream waits anyway: the host need not
    MemorySegment key = text("disable_synchronize_execution_providers");
    owned.check((long) ort.addRunConfigEntry.invokeExact(runOptions, key, text("1")));
    return memoryInfo("Cuda", cuda.ordinal());
  }

  private long memoryInfo(String name, int device) throws Throwable {
    MemorySegment text = text(name);
    owned.check(
        (long)
            ort.createMemoryInfo.invokeExact(
                text, DEVICE_ALLOCATOR, device, DEFAULT_MEMORY, owned.out));
    return owned.take(library.releaseMemoryInfo);
  }
}
