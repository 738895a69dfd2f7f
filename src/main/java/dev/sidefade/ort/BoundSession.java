package dev.sidefade.ort;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Deque;
import java.util.HashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/**
 * A session of ONNX Runtime whose inputs and outputs are bound to memory of the caller, on the host
 * or on a GPU. Binding the same memory again allocates nothing. Used by one thread at a time.
 *
 * <p>It works on bare addresses: that they are alive, and as large as their dimensions say, is for
 * the caller to know.
 */
public final class BoundSession implements AutoCloseable {
  private static final int WARNINGS = 2;
  private static final int ERRORS = 3;
  private static final int DEVICE_ALLOCATOR = 0;
  private static final int DEFAULT_MEMORY = 0;

  private final OrtBinding ort;
  private final OrtLibrary library;
  private final BoundMemory memory;
  private final Arena arena = Arena.ofShared();
  private final MemorySegment out = arena.allocate(ADDRESS);

  /** What was made and is to be given back, the latest first. */
  private final Deque<Owned> owned = new ArrayDeque<>();

  private final Map<String, Slot> inputs = new HashMap<>();
  private final Map<String, Slot> outputs = new HashMap<>();
  private final long environment;
  private final long options;
  private final long runOptions;
  private final long hostMemory;
  private final long ownMemory;
  private long session;
  private long binding;

  private record Owned(MethodHandle release, long handle) {}

  /** What a name is bound to. */
  private static final class Slot {
    final MemorySegment name;
    long value;
    long address;
    long[] dims = {};
    BoundType type;
    boolean onHost;

    Slot(MemorySegment name) {
      this.name = name;
    }

    boolean holds(long newAddress, long[] newDims, BoundType newType, boolean newOnHost) {
      return value != 0
          && address == newAddress
          && type == newType
          && onHost == newOnHost
          && Arrays.equals(dims, newDims);
    }
  }

  private BoundSession(OrtBinding ort, BoundMemory memory, int threads) {
    this.ort = ort;
    this.memory = memory;
    library = ort.library;
    try {
      MemorySegment id = arena.allocateFrom("sidefade");
      check((long) library.createEnvironment.invokeExact(WARNINGS, id, out));
      environment = made(library.releaseEnvironment);
      check((long) library.createOptions.invokeExact(out));
      options = made(library.releaseOptions);
      setOptions(threads);
      check((long) ort.createRunOptions.invokeExact(out));
      runOptions = made(ort.releaseRunOptions);
      hostMemory = memoryInfo("Cpu", 0);
      ownMemory =
          switch (memory) {
            case BoundMemory.Host host -> hostMemory;
            case BoundMemory.Cuda cuda -> useCuda(cuda);
          };
    } catch (Throwable e) {
      close();
      throw OrtApi.thrown(e);
    }
  }

  /** Why nothing can be bound to host memory here; empty where it can. */
  public static Optional<String> unavailable() {
    return OrtBinding.unavailable();
  }

  /**
   * Opens a session over a model in memory.
   *
   * @param threads threads that compute one operator; 0 leaves the choice to ONNX Runtime
   * @throws OrtFailure if ONNX Runtime does not take the model or cannot compute there
   * @throws IllegalStateException where {@link #unavailable} has a reason
   */
  public static BoundSession open(byte[] model, int threads, BoundMemory memory) {
    BoundSession made = new BoundSession(OrtBinding.require(), memory, threads);
    return made.opened(() -> {
      try (Arena call = Arena.ofConfined()) {
        MemorySegment bytes = call.allocateFrom(JAVA_BYTE, model);
        return (long)
            made.library.createSession.invokeExact(
                made.environment, bytes, (long) model.length, made.options, made.out);
      }
    });
  }

  /** The same over a file; its external data lies beside it. */
  public static BoundSession open(Path model, int threads, BoundMemory memory) {
    BoundSession made = new BoundSession(OrtBinding.require(), memory, threads);
    boolean wide = System.getProperty("os.name").toLowerCase(Locale.ROOT).startsWith("windows");
    return made.opened(() -> {
      MemorySegment path =
          made.arena.allocateFrom(
              model.toString(), wide ? StandardCharsets.UTF_16LE : StandardCharsets.UTF_8);
      return (long)
          made.ort.createSessionOfFile.invokeExact(made.environment, path, made.options, made.out);
    });
  }

  private interface Opening {
    long status() throws Throwable;
  }

  private BoundSession opened(Opening opening) {
    try {
      check(opening.status());
      session = made(library.releaseSession);
      bindAnew();
      return this;
    } catch (Throwable e) {
      close();
      throw OrtApi.thrown(e);
    }
  }

  /** From now on nothing is bound. */
  private void bindAnew() throws Throwable {
    if (binding != 0) {
      binding = 0;
      // nothing was made after it
      release(ort.release, owned.pop().handle());
    }
    check((long) ort.create.invokeExact(session, out));
    binding = made(ort.release);
  }

  /** The options of all sessions of backbones: see {@code dev.sidefade.backbone.Sessions}. */
  private void setOptions(int threads) throws Throwable {
    check((long) ort.setLogLevel.invokeExact(options, ERRORS));
    check((long) library.setIntraOpThreads.invokeExact(options, threads));
    check((long) ort.setInterOpThreads.invokeExact(options, 1));
    check((long) library.disableMemoryPattern.invokeExact(options));
    MemorySegment key = arena.allocateFrom("session.intra_op.allow_spinning");
    check((long) library.addConfigEntry.invokeExact(options, key, arena.allocateFrom("0")));
  }

  private long useCuda(BoundMemory.Cuda cuda) throws Throwable {
    check((long) ort.createCudaOptions.invokeExact(out));
    long cudaOptions = made(ort.releaseCudaOptions);
    Map<String, String> settings =
        Map.of(
            "device_id", Integer.toString(cuda.ordinal()),
            // float32 as on the CPU
            "use_tf32", "0",
            // trying out all algorithms would let the choice, and so the bits, depend on the clock
            "cudnn_conv_algo_search", "HEURISTIC",
            // what it takes it keeps, and the rest of the training needs memory too
            "arena_extend_strategy", "kSameAsRequested");
    MemorySegment keys = arena.allocate(ADDRESS, settings.size());
    MemorySegment values = arena.allocate(ADDRESS, settings.size());
    int i = 0;
    for (Map.Entry<String, String> setting : settings.entrySet()) {
      keys.setAtIndex(ADDRESS, i, arena.allocateFrom(setting.getKey()));
      values.setAtIndex(ADDRESS, i, arena.allocateFrom(setting.getValue()));
      i++;
    }
    check((long) ort.updateCudaOptions.invokeExact(cudaOptions, keys, values, (long) i));
    MemorySegment stream = arena.allocateFrom("user_compute_stream");
    check((long) ort.setCudaPointer.invokeExact(cudaOptions, stream, cuda.stream()));
    check((long) ort.appendCuda.invokeExact(options, cudaOptions));
    // what comes behind on the stream waits anyway: the host need not
    MemorySegment key = arena.allocateFrom("disable_synchronize_execution_providers");
    check((long) ort.addRunConfigEntry.invokeExact(runOptions, key, arena.allocateFrom("1")));
    return memoryInfo("Cuda", cuda.ordinal());
  }

  private long memoryInfo(String name, int device) throws Throwable {
    MemorySegment text = arena.allocateFrom(name);
    check(
        (long)
            ort.createMemoryInfo.invokeExact(text, DEVICE_ALLOCATOR, device, DEFAULT_MEMORY, out));
    return made(library.releaseMemoryInfo);
  }

  private long made(MethodHandle release) {
    long handle = out.get(JAVA_LONG, 0);
    owned.push(new Owned(release, handle));
    return handle;
  }

  private void check(long status) {
    ort.api.check(status, "on a backbone");
  }

  /** Where it computes. */
  public BoundMemory memory() {
    return memory;
  }

  /**
   * Binds memory to an input for the runs from now on. From a host's to a GPU's memory the bytes
   * are copied now, so that input is to be bound again before each run.
   *
   * @param dims dimensions, outermost first; the array is the session's from now on
   * @param type element type
   * @param onHost whether the address is one of the host
   * @throws OrtFailure if ONNX Runtime refuses it, for instance an unknown name; nothing at all is
   *     bound then
   */
  public void bindInput(String name, long address, long[] dims, BoundType type, boolean onHost) {
    bind(ort.bindInput, inputs, name, address, dims, type, onHost);
  }

  /**
   * Binds memory to an output for the runs from now on.
   *
   * @see #bindInput
   */
  public void bindOutput(String name, long address, long[] dims, BoundType type, boolean onHost) {
    bind(ort.bindOutput, outputs, name, address, dims, type, onHost);
  }

  private void bind(
      MethodHandle bind,
      Map<String, Slot> slots,
      String name,
      long address,
      long[] dims,
      BoundType type,
      boolean onHost) {
    requireOpen();
    Slot slot = slots.get(name);
    if (slot == null) {
      slot = new Slot(arena.allocateFrom(name));
      slots.put(name, slot);
    }
    try {
      if (!slot.holds(address, dims, type, onHost)) {
        fill(slot, address, dims, type, onHost);
      }
      long status = (long) bind.invokeExact(binding, slot.name, slot.value);
      if (status != 0) {
        // a refused name stays in ONNX Runtime's lists, where it hinders all others
        bindAnew();
      }
      check(status);
    } catch (Throwable e) {
      throw OrtApi.thrown(e);
    }
  }

  private void fill(Slot slot, long address, long[] dims, BoundType type, boolean onHost)
      throws Throwable {
    release(slot);
    long bytes = type.bytes;
    for (long dim : dims) {
      bytes = Math.multiplyExact(bytes, dim);
    }
    try (Arena call = Arena.ofConfined()) {
      MemorySegment shape = call.allocateFrom(JAVA_LONG, dims);
      check(
          (long)
              library.createTensor.invokeExact(
                  onHost ? hostMemory : ownMemory,
                  address,
                  bytes,
                  shape,
                  (long) dims.length,
                  type.code,
                  out));
    }
    slot.value = out.get(JAVA_LONG, 0);
    slot.address = address;
    slot.dims = dims;
    slot.type = type;
    slot.onHost = onHost;
  }

  private void release(Slot slot) {
    if (slot.value != 0) {
      release(library.releaseValue, slot.value);
      slot.value = 0;
    }
  }

  private static void release(MethodHandle release, long handle) {
    try {
      release.invokeExact(handle);
    } catch (Throwable e) {
      throw OrtApi.thrown(e);
    }
  }

  /**
   * Computes all bound outputs from the bound inputs. On a GPU the work is enqueued when this comes
   * back; what is on the host has been read by then.
   *
   * @throws OrtFailure if it fails, for instance because an output has another shape
   */
  public void run() {
    requireOpen();
    try {
      check((long) ort.synchronizeInputs.invokeExact(binding));
      check((long) ort.run.invokeExact(session, runOptions, binding));
    } catch (Throwable e) {
      throw OrtApi.thrown(e);
    }
  }

  /** Waits until what was run is done. */
  public void synchronize() {
    requireOpen();
    try {
      check((long) ort.synchronizeOutputs.invokeExact(binding));
    } catch (Throwable e) {
      throw OrtApi.thrown(e);
    }
  }

  private void requireOpen() {
    if (binding == 0) {
      throw new IllegalStateException("the session is closed");
    }
  }

  /** Waits for what was run and gives everything back; bound memory is left alone. */
  @Override
  public void close() {
    if (!arena.scope().isAlive()) {
      return;
    }
    try {
      if (binding != 0) {
        synchronize();
      }
    } finally {
      binding = 0;
      inputs.values().forEach(this::release);
      outputs.values().forEach(this::release);
      while (!owned.isEmpty()) {
        Owned last = owned.pop();
        release(last.release(), last.handle());
      }
      arena.close();
    }
  }
}
