package dev.sidefade.cuda.ops;

import dev.sidefade.cuda.CudaOutOfMemoryException;
import java.util.ArrayList;
import java.util.List;

/**
 * A stack of device memory for the insides of operations. Since the device works in stream order,
 * what is released may be taken again at once. The same sequence of takes gives the same addresses
 * at every step, as a replayed graph needs; blocks are kept until the device is closed, because a
 * graph may hold their addresses.
 */
final class Scratch implements AutoCloseable {
  private static final long ALIGNMENT = 256;
  private static final long FIRST_BLOCK = 1 << 20;

  /** Where blocks come from. */
  interface Source {
    /** Device memory of at least {@code bytes} bytes at a multiple of 256. */
    Block allocate(long bytes);
  }

  /** Device memory, given back by {@code release}. */
  record Block(long address, long bytes, Runnable release) {}

  private final Source source;
  private final List<Block> blocks = new ArrayList<>();

  /** Position in the blocks laid end to end, in units of the alignment. */
  private int used;

  Scratch(Source source) {
    this.source = source;
  }

  /** Where the stack stands: to be given to {@link #release}. */
  int mark() {
    return used;
  }

  /** Gives back all that was taken since the mark. */
  void release(int mark) {
    used = mark;
  }

  /** Uninitialised device memory at a multiple of 256, valid until a mark before it is released. */
  long take(long bytes) {
    if (bytes < 0) {
      throw new IllegalArgumentException("scratch of " + bytes + " bytes");
    }
    int units = Math.toIntExact((Math.max(bytes, 1) + ALIGNMENT - 1) / ALIGNMENT);
    int start = 0;
    for (Block block : blocks) {
      int end = Math.addExact(start, Math.toIntExact(block.bytes() / ALIGNMENT));
      int from = Math.max(used, start);
      if (from + (long) units <= end) {
        used = from + units;
        return block.address() + (from - start) * ALIGNMENT;
      }
      start = end;
    }
    Block added = more(units * ALIGNMENT);
    blocks.add(added);
    used = start + units;
    return added.address();
  }

  /**
   * As much again as there is, so that blocks stay few; no more than is needed in a full device.
   */
  private Block more(long needed) {
    long wanted = Math.max(Math.max(FIRST_BLOCK, needed), bytes());
    try {
      return source.allocate(wanted);
    } catch (CudaOutOfMemoryException e) {
      if (wanted == needed) {
        throw e;
      }
      return source.allocate(needed);
    }
  }

  /** Bytes of all blocks. */
  long bytes() {
    return blocks.stream().mapToLong(Block::bytes).sum();
  }

  @Override
  public void close() {
    blocks.forEach(block -> block.release().run());
    blocks.clear();
    used = 0;
  }
}
