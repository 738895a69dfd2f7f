package dev.sidefade.cuda;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;

import dev.sidefade.cuda.ffi.CudaDriver;
import java.lang.foreign.MemorySegment;

/** A mark in a stream that other streams and the host can wait for. */
public final class CudaEvent extends CudaResource {
  private final MemorySegment handle;
  private final boolean timing;

  private CudaEvent(CudaContext context, MemorySegment handle, boolean timing) {
    super(context, Kind.EVENT, 0);
    this.handle = handle;
    this.timing = timing;
  }

  /**
   * {@return an event to wait for}
   *
   * @param context the context that it belongs to
   */
  public static CudaEvent create(CudaContext context) {
    return create(context, CudaDriver.CU_EVENT_DISABLE_TIMING());
  }

  /**
   * {@return an event that also takes the time, at some cost}
   *
   * @param context the context that it belongs to
   */
  public static CudaEvent createTiming(CudaContext context) {
    return create(context, CudaDriver.CU_EVENT_DEFAULT());
  }

  private static CudaEvent create(CudaContext context, int flags) {
    context.requireUsable();
    context.check(CudaDriver.cuEventCreate(context.out(), flags), "cuEventCreate", "");
    return new CudaEvent(context, context.outHandle(), flags == CudaDriver.CU_EVENT_DEFAULT());
  }

  MemorySegment segment() {
    return handle;
  }

  /**
   * Marks the end of what is enqueued on a stream so far; an earlier mark is forgotten.
   *
   * @param stream the stream, of the same context
   */
  public void record(CudaStream stream) {
    requireUsable();
    stream.requireUsable();
    context().check(CudaDriver.cuEventRecord(handle, stream.segment()), "cuEventRecord", "");
  }

  /** Waits until the device has come to the mark; at once if there is none. */
  public void synchronize() {
    requireUsable();
    context()
        .check(
            CudaDriver.cuEventSynchronize(handle),
            "cuEventSynchronize",
            "work that was enqueued earlier failed");
  }

  /** {@return whether the device has come to the mark, or there is none} */
  public boolean isDone() {
    requireUsable();
    int code = CudaDriver.cuEventQuery(handle);
    if (code == CudaDriver.CUDA_ERROR_NOT_READY()) {
      return false;
    }
    context().check(code, "cuEventQuery", "work that was enqueued earlier failed");
    return true;
  }

  /**
   * {@return milliseconds on the device between two marks, both reached}
   *
   * @param start the earlier mark
   * @throws IllegalStateException if one of the events does not take the time
   */
  public float millisecondsSince(CudaEvent start) {
    requireUsable();
    start.requireUsable();
    if (!timing || !start.timing) {
      throw new IllegalStateException("time is taken by events made with createTiming() only");
    }
    MemorySegment out = context().out();
    context()
        .check(
            CudaDriver.cuEventElapsedTime_v2(out, start.handle, handle),
            "cuEventElapsedTime_v2",
            "both events must be recorded and reached");
    return out.get(JAVA_FLOAT, 0);
  }

  @Override
  void release() {
    context().checkRelease(CudaDriver.cuEventDestroy_v2(handle), "cuEventDestroy_v2", "");
  }

  @Override
  public String toString() {
    return "event 0x" + Long.toHexString(handle.address());
  }
}
