package dev.sidefade.cpu;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;

/**
 * Native memory of one device: what is allocated, what is live, what the peak was, and scratch for
 * one operation.
 */
final class Memory implements AutoCloseable {
  private static final long ALIGNMENT = 64;
  private static final long FIRST_BLOCK = 1 << 20;

  private record Block(Arena arena, MemorySegment segment) {}

  private final List<Block> blocks = new ArrayList<>();
  private long used;
  private long live;
  private long peak;

  /** Memory of zeros; {@code release} of the result gives it back. */
  synchronized Allocation allocate(long bytes) {
    Arena arena = Arena.ofShared();
    MemorySegment segment;
    try {
      segment = arena.allocate(Math.max(bytes, 1), ALIGNMENT);
    } catch (OutOfMemoryError e) {
      arena.close();
      throw new OutOfMemoryError(
          "cannot allocate "
              + bytes
              + " bytes of native memory beside "
              + live
              + " live ones: lower the batch size, the side width or the number of taps");
    }
    count(bytes);
    return new Allocation(segment.asSlice(0, bytes), () -> giveBack(arena, bytes));
  }

  /** A segment and what gives it back. */
  record Allocation(MemorySegment segment, Runnable release) {}

  private void giveBack(Arena arena, long bytes) {
    arena.close();
    count(-bytes);
  }

  private synchronized void count(long bytes) {
    live += bytes;
    peak = Math.max(peak, live);
  }

  synchronized long liveBytes() {
    return live;
  }

  synchronized long peakBytes() {
    return peak;
  }

  synchronized void resetPeak() {
    peak = live;
  }

  /** Where the scratch stack stands: to be given to {@link #release}. */
  long mark() {
    return used;
  }

  /**
   * Uninitialised floats that stay valid until the mark before them is released; 64-byte aligned.
   */
  long take(long floats) {
    long bytes = (Math.multiplyExact(floats, 4L) + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    long start = 0;
    for (Block block : blocks) {
      long end = start + block.segment().byteSize();
      if (used < end && Math.max(used, start) + bytes <= end) {
        long address = block.segment().address() + Math.max(used, start) - start;
        used = Math.max(used, start) + bytes;
        return address;
      }
      start = end;
    }
    grow(Math.max(Math.max(FIRST_BLOCK, bytes), start));
    used = start + bytes;
    return blocks.getLast().segment().address();
  }

  /** Gives back all scratch taken since the mark. */
  void release(long mark) {
    used = mark;
    if (mark == 0 && blocks.size() > 1) {
      long total = blocks.stream().mapToLong(b -> b.segment().byteSize()).sum();
      freeBlocks();
      grow(total);
    }
  }

  private void grow(long bytes) {
    Arena arena = Arena.ofShared();
    blocks.add(new Block(arena, arena.allocate(bytes, ALIGNMENT)));
    count(bytes);
  }

  private void freeBlocks() {
    for (Block block : blocks) {
      count(-block.segment().byteSize());
      block.arena().close();
    }
    blocks.clear();
  }

  @Override
  public void close() {
    freeBlocks();
  }
}
