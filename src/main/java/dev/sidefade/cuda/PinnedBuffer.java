package dev.sidefade.cuda;

import dev.sidefade.cuda.ffi.CudaDriver;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * Host memory that the device can copy from and to beside other work. Close it only when the copies
 * are done.
 */
public final class PinnedBuffer extends CudaResource {
  private final Arena arena;
  private final MemorySegment segment;

  private PinnedBuffer(CudaContext context, MemorySegment memory, long bytes) {
    super(context, Kind.PINNED_BUFFER, bytes);
    // an arena of its own, so that the segment cannot be read once the memory is given back
    arena = Arena.ofShared();
    segment = memory.reinterpret(bytes, arena, null);
  }

  /**
   * Takes pinned memory of the host.
   *
   * @param context the context that it belongs to
   * @param bytes at least 1
   * @return the memory, to be closed
   * @throws CudaOutOfMemoryException if the host cannot pin so much
   */
  public static PinnedBuffer allocate(CudaContext context, long bytes) {
    context.requireUsable();
    DeviceBuffer.requirePositive(bytes);
    int code =
        CudaDriver.cuMemHostAlloc(context.out(), bytes, CudaDriver.CU_MEMHOSTALLOC_PORTABLE());
    if (code == CudaDriver.CUDA_ERROR_OUT_OF_MEMORY()) {
      long used = context.accounting().pinnedBytes();
      throw context.outOfMemory(code, "cuMemHostAlloc", "pinned host memory", bytes, used);
    }
    context.check(code, "cuMemHostAlloc", bytes + " bytes");
    return new PinnedBuffer(context, context.outHandle(), bytes);
  }

  /** {@return the memory, for any thread; it dies with this buffer} */
  public MemorySegment segment() {
    return segment;
  }

  /** {@return size in bytes} */
  public long bytes() {
    return segment.byteSize();
  }

  /** The host address of a range that lies within. */
  long address(long offset, long length) {
    requireUsable();
    if (offset < 0 || length < 0 || offset > segment.byteSize() - length) {
      throw new IndexOutOfBoundsException(
          "bytes " + offset + " to " + (offset + length) + " of " + this);
    }
    return segment.address() + offset;
  }

  @Override
  void release() {
    long address = segment.address();
    arena.close();
    context()
        .checkRelease(
            CudaDriver.cuMemFreeHost(MemorySegment.ofAddress(address)),
            "cuMemFreeHost",
            toString());
  }

  @Override
  public String toString() {
    return "pinned buffer of "
        + segment.byteSize()
        + " bytes at 0x"
        + Long.toHexString(segment.address());
  }
}
