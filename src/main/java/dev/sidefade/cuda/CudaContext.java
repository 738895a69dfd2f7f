package dev.sidefade.cuda;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import dev.sidefade.cuda.ffi.CudaDriver;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;

/**
 * The primary context of a device: the one that cuBLAS and other libraries in the process use too.
 * Opening retains it and makes it current on the calling thread; closing releases what is still
 * alive in it, then the context itself.
 *
 * <p>One thread at a time has it, at first the one that opened it; another gets it by {@link
 * #takeOver()}. A thread that also works with other contexts calls {@link #makeCurrent()} when it
 * comes back to this one.
 */
public final class CudaContext implements AutoCloseable {
  private final CudaDevice device;
  private final MemorySegment handle;

  /** What was current on the owner's thread when it got this one. */
  private MemorySegment before;

  private final Arena arena = Arena.ofShared();
  private final MemorySegment out = arena.allocate(4 * JAVA_LONG.byteSize(), 16);
  private final CudaAccounting accounting = new CudaAccounting();
  private volatile Thread owner = Thread.currentThread();
  private @Nullable CudaException lost;
  // a failure that came up while something was given back, which nobody has heard of yet
  private @Nullable CudaException unreported;
  private boolean closed;

  private CudaContext(CudaDevice device, MemorySegment handle, MemorySegment before) {
    this.device = device;
    this.handle = handle;
    this.before = before;
  }

  /**
   * Opens the primary context of a device.
   *
   * @param device the GPU
   * @return the context, to be closed
   * @throws CudaException if the driver refuses, for example because the device is in exclusive use
   */
  public static CudaContext open(CudaDevice device) {
    CudaLibrary.require();
    try (Arena call = Arena.ofConfined()) {
      MemorySegment out = call.allocate(ADDRESS);
      String where = "context of device " + device.ordinal();
      DriverErrors.check(CudaDriver.cuCtxGetCurrent(out), "cuCtxGetCurrent", where);
      MemorySegment before = out.get(ADDRESS, 0);
      DriverErrors.check(
          CudaDriver.cuDevicePrimaryCtxRetain(out, device.handle()),
          "cuDevicePrimaryCtxRetain",
          where);
      MemorySegment handle = out.get(ADDRESS, 0);
      int code = CudaDriver.cuCtxSetCurrent(handle);
      if (code != CudaDriver.CUDA_SUCCESS()) {
        CudaException refused = DriverErrors.exception(code, "cuCtxSetCurrent", where);
        CudaDriver.cuDevicePrimaryCtxRelease_v2(device.handle());
        throw refused;
      }
      return new CudaContext(device, handle, before);
    }
  }

  /** {@return the device that it is on} */
  public CudaDevice device() {
    return device;
  }

  /** {@return the driver's handle, for other libraries} */
  public long handle() {
    return handle.address();
  }

  /** {@return what is alive in it} */
  public CudaAccounting accounting() {
    return accounting;
  }

  /**
   * Memory on the device, in bytes, over all programs that use it.
   *
   * @param freeBytes not in use
   * @param totalBytes all there is
   */
  public record Memory(long freeBytes, long totalBytes) {}

  /** {@return how much memory the device has and how much of it is free now} */
  public Memory memory() {
    requireUsable();
    check(CudaDriver.cuMemGetInfo_v2(out, out.asSlice(8)), "cuMemGetInfo_v2", "");
    return new Memory(out.get(JAVA_LONG, 0), out.get(JAVA_LONG, 8));
  }

  /** Waits for everything that was enqueued in it, on any stream. */
  public void synchronize() {
    requireUsable();
    check(
        CudaDriver.cuCtxSynchronize(), "cuCtxSynchronize", "work that was enqueued earlier failed");
  }

  /** Makes it current on the calling thread again, after other contexts were used there. */
  public void makeCurrent() {
    requireUsable();
    check(CudaDriver.cuCtxSetCurrent(handle), "cuCtxSetCurrent", "");
  }

  /**
   * Hands the context and everything in it to the calling thread. The thread that had it must be
   * done with it: from now on its calls are refused, and the context stays current there.
   */
  public void takeOver() {
    requireOpen();
    check(CudaDriver.cuCtxGetCurrent(out()), "cuCtxGetCurrent", "");
    MemorySegment present = outHandle();
    check(CudaDriver.cuCtxSetCurrent(handle), "cuCtxSetCurrent", "");
    if (!isMine()) {
      before = present;
      owner = Thread.currentThread();
    }
  }

  /** {@return whether the calling thread has it} */
  public boolean isMine() {
    return Thread.currentThread() == owner;
  }

  /** {@return whether it was not closed yet} */
  public boolean isOpen() {
    return !closed;
  }

  /** {@return whether a failure has made it useless: it can only be closed} */
  public boolean isLost() {
    return lost != null;
  }

  // ---- for the resources in it

  void requireUsable() {
    requireThread();
    requireOpen();
    if (lost != null) {
      unreported = null;
      throw new CudaException(
          lost.code(),
          lost.name(),
          lost.call(),
          "the context was lost by an earlier failure (see the cause); close it, and if a new one"
              + " fails too start the process again",
          lost);
    }
  }

  void requireThread() {
    if (Thread.currentThread() != owner) {
      throw new WrongThreadException(
          "thread "
              + Thread.currentThread().getName()
              + " uses a CUDA context that thread "
              + owner.getName()
              + " has; call takeOver() on it first");
    }
  }

  private void requireOpen() {
    if (closed) {
      throw new IllegalStateException("the context of " + device.name() + " is closed");
    }
  }

  void remember(CudaResource resource) {
    accounting.add(resource);
  }

  void forget(CudaResource resource) {
    accounting.remove(resource);
  }

  /** A record of the caller, or null where that is not wanted. */
  @Nullable Throwable trace(String what) {
    return accounting.tracking() ? new Throwable(what) : null;
  }

  /** Native room for up to four results of one call; the next call overwrites it. */
  MemorySegment out() {
    return out;
  }

  /** The first result of the call before, as a handle. */
  MemorySegment outHandle() {
    return out.get(ADDRESS, 0);
  }

  void check(int code, String call, String detail) {
    if (code != CudaDriver.CUDA_SUCCESS()) {
      throw failure(code, call, detail);
    }
  }

  /** The exception for a refused call; notes if the context is lost with it. */
  CudaException failure(int code, String call, String detail) {
    if (!DriverErrors.sticky(code)) {
      return DriverErrors.exception(code, call, detail);
    }
    CudaException e =
        DriverErrors.exception(
            code,
            call,
            (detail.isEmpty() ? "" : detail + "; ")
                + "the context is lost: results since the last synchronisation are not valid, close"
                + " the context");
    if (lost == null) {
      lost = e;
    }
    return e;
  }

  /** The exception for memory that was not to be had. {@code used}: bytes in use at that place. */
  CudaException outOfMemory(int code, String call, String where, long requested, long used) {
    CudaException refused = DriverErrors.exception(code, call, "");
    boolean known = CudaDriver.cuMemGetInfo_v2(out, out.asSlice(8)) == CudaDriver.CUDA_SUCCESS();
    Memory memory =
        known ? new Memory(out.get(JAVA_LONG, 0), out.get(JAVA_LONG, 8)) : new Memory(0, 0);
    return new CudaOutOfMemoryException(refused, where, requested, memory, used);
  }

  /** For calls that give something back: in a lost context they fail, which is no news. */
  void checkRelease(int code, String call, String detail) {
    if (code == CudaDriver.CUDA_SUCCESS()) {
      return;
    }
    boolean news = lost == null;
    CudaException e = failure(code, call, detail);
    if (lost == null) {
      throw e;
    }
    if (news) {
      unreported = e;
    }
  }

  /**
   * Waits for what is enqueued if anything is alive in it, releases that, the latest first, then
   * the context. In a lost context failures to release are not reported again.
   *
   * @throws WrongThreadException if another thread has it; it stays open
   * @throws CudaException if something could not be released, or work failed and nobody has heard
   *     of it yet; the context is closed all the same
   */
  @Override
  public void close() {
    if (closed) {
      return;
    }
    requireThread();
    RuntimeException first = accounting.isClear() ? null : releaseAll();
    closed = true;
    int code = CudaDriver.cuDevicePrimaryCtxRelease_v2(device.handle());
    // whoever used this thread before finds it as it was; if that context is gone, so be it
    CudaDriver.cuCtxSetCurrent(before);
    arena.close();
    if (first != null) {
      throw first;
    }
    checkRelease(code, "cuDevicePrimaryCtxRelease_v2", "");
    if (unreported != null) {
      throw unreported;
    }
  }

  /** The first failure, or null. */
  private @Nullable RuntimeException releaseAll() {
    if (accounting.tracking()) {
      System.getLogger(CudaContext.class.getName())
          .log(System.Logger.Level.WARNING, "closed with the context: {0}", accounting.alive());
    }
    RuntimeException first = null;
    try {
      // pinned memory must not go while a copy is under way
      checkRelease(CudaDriver.cuCtxSynchronize(), "cuCtxSynchronize", "work failed");
    } catch (CudaException e) {
      first = e;
    }
    for (CudaResource resource : accounting.latestFirst()) {
      try {
        resource.close();
      } catch (CudaException e) {
        first = first == null ? e : first;
      }
    }
    return first;
  }

  @Override
  public String toString() {
    return "context of device " + device.ordinal() + " (" + device.name() + ")";
  }
}
