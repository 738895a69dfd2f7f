package dev.sidefade.ort;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Arrays;
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
  private final OrtBinding ort;
  private final OrtLibrary library;
  private final BoundMemory memory;
  private final Owned owned;
  private final BoundOptions options;
  private final Map<String, Slot> inputs = new HashMap<>();
  private final Map<String, Slot> outputs = new HashMap<>();
  private long session;
  private long binding;

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

  private BoundSession(BoundMemory memory, int threads) {
    this.memory = memory;
    ort = OrtBinding.require();
    library = ort.library;
    owned = new Owned(ort.api);
    try {
      options = new BoundOptions(ort, owned, memory, threads);
    } catch (Throwable e) {
      owned.close();
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
    BoundSession made = new BoundSession(memory, threads);
    return made.opened(() -> {
      try (Arena call = Arena.ofConfined()) {
        MemorySegment bytes = call.allocateFrom(JAVA_BYTE, model);
        return (long)
            made.library.createSession.invokeExact(
                made.options.environment,
                bytes,
                (long) model.length,
                made.options.options,
                made.owned.out);
      }
    });
  }

  /** The same over a file; its external data lies beside it. */
  public static BoundSession open(Path model, int threads, BoundMemory memory) {
    BoundSession made = new BoundSession(memory, threads);
    boolean wide = System.getProperty("os.name").toLowerCase(Locale.ROOT).startsWith("windows");
    return made.opened(() -> {
      MemorySegment path =
          made.owned.arena.allocateFrom(
              model.toString(), wide ? StandardCharsets.UTF_16LE : StandardCharsets.UTF_8);
      return (long)
          made.ort.createSessionOfFile.invokeExact(
              made.options.environment, path, made.options.options, made.owned.out);
    });
  }

  private interface Opening {
    long status() throws Throwable;
  }

  private BoundSession opened(Opening opening) {
    try {
      owned.check(opening.status());
      session = owned.take(library.releaseSession);
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
      owned.giveBackLatest();
    }
    owned.check((long) ort.create.invokeExact(session, owned.out));
    binding = owned.take(ort.release);
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
      slot = new Slot(owned.arena.allocateFrom(name));
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
      owned.check(status);
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
      owned.check(
          (long)
              library.createTensor.invokeExact(
                  onHost ? options.hostMemory : options.ownMemory,
                  address,
                  bytes,
                  shape,
                  (long) dims.length,
                  type.code,
                  owned.out));
    }
    slot.value = owned.out.get(JAVA_LONG, 0);
    slot.address = address;
    slot.dims = dims;
    slot.type = type;
    slot.onHost = onHost;
  }

  private void release(Slot slot) {
    if (slot.value != 0) {
      Owned.release(library.releaseValue, slot.value);
      slot.value = 0;
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
      owned.check((long) ort.synchronizeInputs.invokeExact(binding));
      owned.check((long) ort.run.invokeExact(session, options.runOptions, binding));
    } catch (Throwable e) {
      throw OrtApi.thrown(e);
    }
  }

  /** Waits until what was run is done. */
  public void synchronize() {
    requireOpen();
    try {
      owned.check((long) ort.synchronizeOutputs.invokeExact(binding));
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
    if (!owned.isOpen()) {
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
      owned.close();
    }
  }
}
