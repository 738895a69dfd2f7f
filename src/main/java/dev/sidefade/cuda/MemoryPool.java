package dev.sidefade.cuda;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import dev.sidefade.cuda.ffi.CudaDriver;
import java.lang.foreign.Arena;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.StructLayout;

/**
 * Device memory that comes and goes in the order of streams, without waiting for the device. A pool
 * of one's own, so that no other part of the process holds or gives back what is in it.
 */
public final class MemoryPool extends CudaResource {
  /**
   * CUmemPoolProps of cuda.h: kind of memory, kinds of handles, kind of place, place, security
   * attributes, largest size, usage, reserved bytes.
   */
  private static final StructLayout PROPERTIES =
      MemoryLayout.structLayout(
          JAVA_INT.withName("allocType"),
          JAVA_INT.withName("handleTypes"),
          JAVA_INT.withName("locationType"),
          JAVA_INT.withName("locationId"),
          ADDRESS.withName("securityAttributes"),
          JAVA_LONG.withName("maxSize"),
          MemoryLayout.paddingLayout(56));

  private static final int PINNED_ON_DEVICE = 1;

  private final MemorySegment handle;
  private final long limit;
  private long used;
  private long usedHigh;

  private MemoryPool(CudaContext context, MemorySegment handle, long limit) {
    super(context, Kind.POOL, 0);
    this.handle = handle;
    this.limit = limit;
  }

  /**
   * {@return a new pool}
   *
   * @param context the context that it belongs to
   * @param limit bytes that it hands out at most at one time; {@link Long#MAX_VALUE} for as much as
   *     the device has
   * @throws CudaException if the device has no stream-ordered pools
   */
  public static MemoryPool create(CudaContext context, long limit) {
    context.requireUsable();
    if (limit <= 0) {
      throw new IllegalArgumentException("a pool's limit is at least 1 byte, not " + limit);
    }
    if (!context.device().supportsMemoryPools()) {
      throw context.failure(
          CudaDriver.CUDA_ERROR_NOT_SUPPORTED(),
          "cuMemPoolCreate",
          context.device().name() + " has no stream-ordered memory pools");
    }
    try (Arena call = Arena.ofConfined()) {
      MemorySegment properties = call.allocate(PROPERTIES);
      set(properties, "allocType", PINNED_ON_DEVICE);
      set(properties, "locationType", PINNED_ON_DEVICE);
      set(properties, "locationId", context.device().ordinal());
      context.check(CudaDriver.cuMemPoolCreate(context.out(), properties), "cuMemPoolCreate", "");
    }
    MemoryPool pool = new MemoryPool(context, context.outHandle(), limit);
    try {
      // what is given back stays for the next step; trim() is how it leaves
      context.out().set(JAVA_LONG, 0, limit);
      int attribute = CudaDriver.CU_MEMPOOL_ATTR_RELEASE_THRESHOLD();
      context.check(
          CudaDriver.cuMemPoolSetAttribute(pool.handle, attribute, context.out()),
          "cuMemPoolSetAttribute",
          "release threshold");
    } catch (CudaException e) {
      pool.close();
      throw e;
    }
    return pool;
  }

  private static void set(MemorySegment properties, String field, int value) {
    properties.set(
        JAVA_INT, PROPERTIES.byteOffset(MemoryLayout.PathElement.groupElement(field)), value);
  }

  /**
   * Takes memory in the order of a stream: work enqueued on it from now on may use it, other
   * streams after waiting for an event. Closing the buffer gives it back at that place in the same
   * stream.
   *
   * @param stream the stream, of the same context
   * @param bytes at least 1
   * @return the memory, to be closed
   * @throws CudaOutOfMemoryException if the pool's limit or the device's memory does not suffice
   */
  public DeviceBuffer allocate(CudaStream stream, long bytes) {
    requireUsable();
    stream.requireUsable();
    DeviceBuffer.requirePositive(bytes);
    CudaContext context = context();
    if (bytes > limit - used) {
      throw context.outOfMemory(
          CudaDriver.CUDA_ERROR_OUT_OF_MEMORY(),
          "cuMemAllocFromPoolAsync",
          "memory pool with a limit of " + limit + " bytes",
          bytes,
          used);
    }
    int code = CudaDriver.cuMemAllocFromPoolAsync(context.out(), bytes, handle, stream.segment());
    if (code == CudaDriver.CUDA_ERROR_OUT_OF_MEMORY()) {
      throw context.outOfMemory(code, "cuMemAllocFromPoolAsync", "memory pool", bytes, used);
    }
    context.check(code, "cuMemAllocFromPoolAsync", bytes + " bytes");
    used += bytes;
    usedHigh = Math.max(usedHigh, used);
    return new DeviceBuffer(context, context.out().get(JAVA_LONG, 0), bytes, this, stream);
  }

  /** Gives a buffer back in the order of its stream. */
  void giveBack(long address, long bytes, CudaStream stream) {
    used -= bytes;
    if (stream.isOpen()) {
      context()
          .checkRelease(
              CudaDriver.cuMemFreeAsync(address, stream.segment()),
              "cuMemFreeAsync",
              bytes + " bytes");
      return;
    }
    // no order to give it back in: nothing may use it any more
    context().checkRelease(CudaDriver.cuCtxSynchronize(), "cuCtxSynchronize", bytes + " bytes");
    context().checkRelease(CudaDriver.cuMemFree_v2(address), "cuMemFree_v2", bytes + " bytes");
  }

  /**
   * What a pool holds, in bytes.
   *
   * @param used handed out and not given back
   * @param usedHigh the most that was handed out at one time
   * @param reserved held from the device, in use or kept for later
   * @param reservedHigh the most that was held at one time
   * @param limit the most that may be handed out
   */
  public record Stats(long used, long usedHigh, long reserved, long reservedHigh, long limit) {}

  /** {@return what it holds now} */
  public Stats stats() {
    requireUsable();
    return new Stats(
        used,
        usedHigh,
        attribute(CudaDriver.CU_MEMPOOL_ATTR_RESERVED_MEM_CURRENT()),
        attribute(CudaDriver.CU_MEMPOOL_ATTR_RESERVED_MEM_HIGH()),
        limit);
  }

  private long attribute(int attribute) {
    CudaContext context = context();
    context.check(
        CudaDriver.cuMemPoolGetAttribute(handle, attribute, context.out()),
        "cuMemPoolGetAttribute",
        "");
    return context.out().get(JAVA_LONG, 0);
  }

  /** Gives what is kept for later back to the device. Memory still in use by a stream stays. */
  public void trim() {
    requireUsable();
    context().check(CudaDriver.cuMemPoolTrimTo(handle, 0), "cuMemPoolTrimTo", "");
  }

  @Override
  void release() {
    context().checkRelease(CudaDriver.cuMemPoolDestroy(handle), "cuMemPoolDestroy", "");
  }

  @Override
  public String toString() {
    return "memory pool with a limit of " + limit + " bytes, " + used + " in use";
  }
}
