package dev.sidefade.cpu;

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
    ALL.asSlice(address, count * Float.BYTES).fill((byte) 0);
  }
}
