package dev.sidefade.tensor;

import java.lang.foreign.MemorySegment;

/**
 * How the host gets at the memory of a device. Every method takes its place in the order of the
 * device's operations; those that move bytes to or from the host return when that is done.
 */
public interface Transfer {
  /**
   * Fills {@code target} from device memory.
   *
   * @param address in device memory
   * @param target on the host
   */
  void toHost(long address, MemorySegment target);

  /**
   * Copies all of {@code source} to device memory.
   *
   * @param source on the host
   * @param address in device memory
   */
  void toDevice(MemorySegment source, long address);

  /**
   * Copies within the device.
   *
   * @param from address to read
   * @param to address to write
   * @param bytes number of bytes
   */
  void within(long from, long to, long bytes);

  /**
   * Sets device memory to zero.
   *
   * @param address in device memory
   * @param bytes number of bytes
   */
  void zero(long address, long bytes);
}
