package dev.sidefade.cuda;

import static java.lang.foreign.ValueLayout.JAVA_LONG;

import dev.sidefade.cuda.ffi.CudaDriver;
import org.jspecify.annotations.Nullable;

/**
 * Memory on the device, at an address that is a multiple of 256. Its content is undefined at first.
 */
public final class DeviceBuffer extends CudaResource {
  private final long address;
  private final long bytes;
  private final @Nullable MemoryPool pool;
  private final @Nullable CudaStream stream;

  /** From a pool, given back in the order of a stream; or with neither, from the driver. */
  DeviceBuffer(
      CudaContext context,
      long address,
      long bytes,
      @Nullable MemoryPool pool,
      @Nullable CudaStream stream) {
    super(context, Kind.DEVICE_BUFFER, bytes);
    this.address = address;
    this.bytes = bytes;
    this.pool = pool;
    this.stream = stream;
  }

  /**
   * Takes memory from the driver. That waits for the device, as giving it back does: for memory
   * that comes and goes use a {@link MemoryPool}.
   *
   * @param context the context that it belongs to
   * @param bytes at least 1
   * @return the memory, to be closed
   * @throws CudaOutOfMemoryException if the device has not enough
   */
  public static DeviceBuffer allocate(CudaContext context, long bytes) {
    context.requireUsable();
    requirePositive(bytes);
    int code = CudaDriver.cuMemAlloc_v2(context.out(), bytes);
    if (code == CudaDriver.CUDA_ERROR_OUT_OF_MEMORY()) {
      long used = context.accounting().deviceBytes();
      throw context.outOfMemory(code, "cuMemAlloc_v2", "device memory", bytes, used);
    }
    context.check(code, "cuMemAlloc_v2", bytes + " bytes");
    return new DeviceBuffer(context, context.out().get(JAVA_LONG, 0), bytes, null, null);
  }

  static void requirePositive(long bytes) {
    if (bytes <= 0) {
      throw new IllegalArgumentException("a buffer has at least 1 byte, not " + bytes);
    }
  }

  /**
   * {@return the device address of the first byte}
   *
   * @throws IllegalStateException if closed
   */
  public long address() {
    requireUsable();
    return address;
  }

  /** {@return size in bytes} */
  public long bytes() {
    return bytes;
  }

  @Override
  void release() {
    if (pool == null || stream == null) {
      context().checkRelease(CudaDriver.cuMemFree_v2(address), "cuMemFree_v2", toString());
    } else {
      pool.giveBack(address, bytes, stream);
    }
  }

  @Override
  public String toString() {
    return "device buffer of " + bytes + " bytes at 0x" + Long.toHexString(address);
  }
}
