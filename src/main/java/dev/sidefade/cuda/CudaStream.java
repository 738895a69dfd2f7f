package dev.sidefade.cuda;

import dev.sidefade.cuda.ffi.CudaDriver;
import java.lang.foreign.MemorySegment;

/**
 * A queue of work on the device: what is enqueued runs in order, beside other streams. Unless it
 * says otherwise a method enqueues and comes back at once.
 */
public final class CudaStream extends CudaResource {
  private final MemorySegment handle;
  private final boolean foreign;

  private CudaStream(CudaContext context, MemorySegment handle, boolean foreign) {
    super(context, foreign ? Kind.FOREIGN_STREAM : Kind.STREAM, 0);
    this.handle = handle;
    this.foreign = foreign;
  }

  /**
   * {@return a new stream that does not wait for the legacy default stream}
   *
   * @param context the context that it belongs to
   */
  public static CudaStream create(CudaContext context) {
    context.requireUsable();
    context.check(
        CudaDriver.cuStreamCreate(context.out(), CudaDriver.CU_STREAM_NON_BLOCKING()),
        "cuStreamCreate",
        "");
    return new CudaStream(context, context.outHandle(), false);
  }

  /**
   * {@return a stream that somebody else made in the same context and will destroy; closing this
   * object leaves it alone} It must be valid: the driver crashes on a handle that is none.
   *
   * @param context the context that it belongs to
   * @param handle the CUstream (or cudaStream_t) as a number; 0 is the legacy default stream
   */
  public static CudaStream wrap(CudaContext context, long handle) {
    context.requireUsable();
    return new CudaStream(context, MemorySegment.ofAddress(handle), true);
  }

  /** {@return the driver's handle, for other libraries} */
  public long handle() {
    return handle.address();
  }

  MemorySegment segment() {
    return handle;
  }

  /** Waits until everything enqueued so far is done. */
  public void synchronize() {
    requireUsable();
    context()
        .check(
            CudaDriver.cuStreamSynchronize(handle),
            "cuStreamSynchronize",
            "work that was enqueued earlier failed");
  }

  /** {@return whether everything enqueued so far is done} */
  public boolean isDone() {
    requireUsable();
    int code = CudaDriver.cuStreamQuery(handle);
    if (code == CudaDriver.CUDA_ERROR_NOT_READY()) {
      return false;
    }
    context().check(code, "cuStreamQuery", "work that was enqueued earlier failed");
    return true;
  }

  /**
   * Lets what is enqueued from now on wait for the latest record of an event.
   *
   * @param event of the same context
   */
  public void waitFor(CudaEvent event) {
    requireUsable();
    event.requireUsable();
    context()
        .check(
            CudaDriver.cuStreamWaitEvent(
                handle, event.segment(), CudaDriver.CU_EVENT_WAIT_DEFAULT()),
            "cuStreamWaitEvent",
            "");
  }

  /**
   * Copies pinned host memory to the device. The pinned bytes must stay as they are until the copy
   * is done.
   *
   * @param from where the copy comes from
   * @param offset first byte in {@code from}
   * @param to device address
   * @param bytes number of bytes
   */
  public void upload(PinnedBuffer from, long offset, long to, long bytes) {
    requireUsable();
    long source = from.address(offset, bytes);
    checkCopy(CudaDriver.cuMemcpyAsync(to, source, bytes, handle), "cuMemcpyAsync", bytes);
  }

  /**
   * Copies device memory to pinned host memory, which may be read when the copy is done.
   *
   * @param from device address
   * @param to where the copy goes
   * @param offset first byte in {@code to}
   * @param bytes number of bytes
   */
  public void download(long from, PinnedBuffer to, long offset, long bytes) {
    requireUsable();
    long target = to.address(offset, bytes);
    checkCopy(CudaDriver.cuMemcpyAsync(target, from, bytes, handle), "cuMemcpyAsync", bytes);
  }

  /**
   * Copies native host memory of any kind to the device, in stream order, and waits for it.
   *
   * @param from where the copy comes from
   * @param to where the copy goes
   */
  public void upload(MemorySegment from, long to) {
    requireUsable();
    requireNative(from);
    checkCopy(
        CudaDriver.cuMemcpyHtoDAsync_v2(to, from, from.byteSize(), handle),
        "cuMemcpyHtoDAsync_v2",
        from.byteSize());
    synchronize();
  }

  /**
   * Copies device memory to native host memory of any kind, in stream order, and waits for it.
   *
   * @param from where the copy comes from
   * @param to where the copy goes
   */
  public void download(long from, MemorySegment to) {
    requireUsable();
    requireNative(to);
    checkCopy(
        CudaDriver.cuMemcpyDtoHAsync_v2(to, from, to.byteSize(), handle),
        "cuMemcpyDtoHAsync_v2",
        to.byteSize());
    synchronize();
  }

  /**
   * Copies within the device, from address to address.
   *
   * @param from where the copy comes from
   * @param to where the copy goes
   * @param bytes number of bytes
   */
  public void copy(long from, long to, long bytes) {
    requireUsable();
    checkCopy(
        CudaDriver.cuMemcpyDtoDAsync_v2(to, from, bytes, handle), "cuMemcpyDtoDAsync_v2", bytes);
  }

  /**
   * Sets {@code bytes} bytes from a device address on to zero.
   *
   * @param address a device address
   * @param bytes number of bytes
   */
  public void zero(long address, long bytes) {
    requireUsable();
    if (bytes == 0) {
      return;
    }
    checkCopy(
        CudaDriver.cuMemsetD8Async(address, (byte) 0, bytes, handle), "cuMemsetD8Async", bytes);
  }

  /**
   * Sets {@code count} 32-bit words from a device address (a multiple of 4) on to a value.
   *
   * @param address a device address
   * @param value 32 bits, whatever they stand for
   * @param count number of words
   */
  public void fill(long address, int value, long count) {
    requireUsable();
    if (count == 0) {
      return;
    }
    checkCopy(
        CudaDriver.cuMemsetD32Async(address, value, count, handle), "cuMemsetD32Async", 4 * count);
  }

  private void checkCopy(int code, String call, long bytes) {
    if (code != CudaDriver.CUDA_SUCCESS()) {
      throw context().failure(code, call, bytes + " bytes");
    }
  }

  private static void requireNative(MemorySegment segment) {
    if (!segment.isNative()) {
      throw new IllegalArgumentException(
          "only native host memory can be copied to and from the device, this is on the Java heap");
    }
  }

  @Override
  void release() {
    if (!foreign) {
      context().checkRelease(CudaDriver.cuStreamDestroy_v2(handle), "cuStreamDestroy_v2", "");
    }
  }

  @Override
  public String toString() {
    return (foreign ? "foreign stream 0x" : "stream 0x") + Long.toHexString(handle());
  }
}
