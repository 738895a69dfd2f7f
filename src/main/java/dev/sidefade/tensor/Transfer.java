package dev.sidefade.tensor;

import java.lang.foreign.MemorySegment;

/**
 * How the host gets at the memory of a device. Every method takes its place in the order of the
 * device's operations; those that move bytes to or from the host return when that is done.
 */
public interface Transfer {
  /** Fills {@code target} from device memory. */
  void toHost(long address, MemorySegment target);

  /** Copies all of {@code source} to device memory. */
  void toDevice(MemorySegment source, long address);

  /** Copies within the device. */
  void within(long from, long to, long bytes);

  /** Sets device memory to zero. */
  void zero(long address, long bytes);
}
