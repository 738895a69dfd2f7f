package dev.sidefade.cpu;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * All of native memory as one segment. An access through it costs one comparison with a constant
 * and no liveness check, which the inner loops need; that the addresses are right is the duty of
 * the operation, which checks its tensors first.
 */
final class RawMemory {
  /** Offset = absolute address. */
  static final MemorySegment ALL = MemorySegment.NULL.reinterpret(Long.MAX_VALUE);

  /** What is copied to set memory to zero: filling a slice would allocate the slice. */
  private static final MemorySegment ZEROS = Arena.global().allocate(1 << 14, 64);

  private RawMemory() {}

  static float get(long address) {
    return ALL.get(ValueLayout.JAVA_FLOAT_UNALIGNED, address);
  }

  static void set(long address, float value) {
    ALL.set(ValueLayout.JAVA_FLOAT_UNALIGNED, address, value);
  }

  static int getInt(long address) {
    return ALL.get(ValueLayout.JAVA_INT_UNALIGNED, address);
  }

  static void setInt(long address, int value) {
    ALL.set(ValueLayout.JAVA_INT_UNALIGNED, address, value);
  }

  /** Copies {@code count} floats. */
  static void copy(long from, long to, long count) {
    MemorySegment.copy(ALL, from, ALL, to, count * Float.BYTES);
  }

  /** Sets {@code count} floats to zero. */
  static void zero(long address, long count) {
    long end = address + count * Float.BYTES;
    for (long at = address; at < end; at += ZEROS.byteSize()) {
      MemorySegment.copy(ZEROS, 0, ALL, at, Math.min(end - at, ZEROS.byteSize()));
    }
  }
}
