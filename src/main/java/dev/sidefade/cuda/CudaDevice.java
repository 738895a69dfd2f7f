package dev.sidefade.cuda;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import dev.sidefade.cuda.ffi.CudaDriver;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;

/**
 * A GPU that the driver offers. Asking about it makes no context and takes no memory on it.
 *
 * @param ordinal place in the driver's list, from 0
 * @param handle the driver's own name for it
 * @param name product name
 * @param major first part of the compute capability
 * @param minor second part of the compute capability
 * @param totalBytes memory on the device
 * @param multiprocessors number of streaming multiprocessors
 */
public record CudaDevice(
    int ordinal,
    int handle,
    String name,
    int major,
    int minor,
    long totalBytes,
    int multiprocessors) {
  private static final int NAME_BYTES = 256;

  /**
   * {@return all devices}
   *
   * @throws CudaUnavailableException if CUDA cannot be used here
   */
  public static List<CudaDevice> all() {
    CudaLibrary.require();
    List<CudaDevice> devices = new ArrayList<>();
    int count = count();
    for (int i = 0; i < count; i++) {
      devices.add(get(i));
    }
    return List.copyOf(devices);
  }

  private static int count() {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment out = arena.allocate(JAVA_INT);
      DriverErrors.check(CudaDriver.cuDeviceGetCount(out), "cuDeviceGetCount", "");
      return out.get(JAVA_INT, 0);
    }
  }

  /**
   * {@return one device}
   *
   * @param ordinal place in the driver's list, from 0
   * @throws CudaUnavailableException if CUDA cannot be used here
   * @throws CudaException if there is no such device
   */
  public static CudaDevice get(int ordinal) {
    CudaLibrary.require();
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment out = arena.allocate(JAVA_LONG);
      DriverErrors.check(
          CudaDriver.cuDeviceGet(out, ordinal), "cuDeviceGet", "there is no device " + ordinal);
      int handle = out.get(JAVA_INT, 0);
      DriverErrors.check(
          CudaDriver.cuDeviceTotalMem_v2(out, handle), "cuDeviceTotalMem_v2", "device " + ordinal);
      long total = out.get(JAVA_LONG, 0);
      MemorySegment name = arena.allocate(NAME_BYTES);
      DriverErrors.check(
          CudaDriver.cuDeviceGetName(name, NAME_BYTES - 1, handle),
          "cuDeviceGetName",
          "device " + ordinal);
      name.set(JAVA_BYTE, NAME_BYTES - 1, (byte) 0);
      return new CudaDevice(
          ordinal,
          handle,
          name.getString(0),
          attribute(handle, CudaDriver.CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR(), out),
          attribute(handle, CudaDriver.CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR(), out),
          total,
          attribute(handle, CudaDriver.CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT(), out));
    }
  }

  /**
   * {@return a value of the driver's table of device attributes (CUdevice_attribute)}
   *
   * @param attribute number of the attribute
   */
  public int attribute(int attribute) {
    try (Arena arena = Arena.ofConfined()) {
      return attribute(handle, attribute, arena.allocate(JAVA_INT));
    }
  }

  private static int attribute(int handle, int attribute, MemorySegment out) {
    DriverErrors.check(
        CudaDriver.cuDeviceGetAttribute(out, attribute, handle),
        "cuDeviceGetAttribute",
        "attribute " + attribute);
    return out.get(JAVA_INT, 0);
  }

  /**
   * {@return shared memory that a block of threads may have where a kernel asks for more than 48
   * KiB}
   */
  public int sharedBytesPerBlock() {
    return attribute(CudaDriver.CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_BLOCK_OPTIN());
  }

  /** {@return whether stream-ordered memory pools work on it} */
  public boolean supportsMemoryPools() {
    return attribute(CudaDriver.CU_DEVICE_ATTRIBUTE_MEMORY_POOLS_SUPPORTED()) != 0;
  }

  /** {@return for people: "NVIDIA H100, compute capability 9.0, 132 multiprocessors, 81079 MiB"} */
  public String describe() {
    return name
        + ", compute capability "
        + major
        + "."
        + minor
        + ", "
        + multiprocessors
        + " multiprocessors, "
        + (totalBytes >> 20)
        + " MiB";
  }
}
