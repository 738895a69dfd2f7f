package dev.sidefade.cuda.ops;

import dev.sidefade.cuda.CudaContext;
import dev.sidefade.cuda.CudaEvent;
import dev.sidefade.cuda.DeviceBuffer;
import dev.sidefade.cuda.PinnedBuffer;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;

/**
 * Small values that change from step to step (labels, seeds, learning rates), on their way to the
 * device. They are written to page-locked memory and copied to the same place of a piece of device
 * memory in stream order; a step that is replayed copies all its values at once before its graph
 * runs.
 *
 * <p>Page-locked memory is used in turns, so that a step never overwrites what an earlier one has
 * not read yet; the device memory is one and the same, so that its addresses are those of the
 * recorded step.
 */
final class HostValues implements AutoCloseable {
  private static final long ALIGNMENT = 256;
  private static final long FIRST_CAPACITY = 1 << 16;
  private static final int TURNS = 4;

  /** Memory of one size; replaced by a larger one, but kept: graphs may hold its addresses. */
  private record Area(DeviceBuffer device, PinnedBuffer[] turns, CudaEvent[] read)
      implements AutoCloseable {
    long capacity() {
      return device.bytes();
    }

    @Override
    public void close() {
      for (int i = 0; i < turns.length; i++) {
        read[i].close();
        turns[i].close();
      }
      device.close();
    }
  }

  private final CudaContext context;
  private final Queue queue;
  private final List<Area> areas = new ArrayList<>();
  private int turn;
  private MemorySegment memory;
  private boolean inStep;

  /** End of what was sent from the present turn. */
  private long sent;

  /** Where the values of this call begin, the next one goes, and they must end. */
  private long start;

  private long at;
  private long end;

  HostValues(CudaContext context, Queue queue) {
    this.context = context;
    this.queue = queue;
    grow(FIRST_CAPACITY);
  }

  /** Starts the values of one call, {@code bytes} at most. */
  HostValues begin(long bytes) {
    long size = aligned(bytes);
    if (sent + size > area().capacity()) {
      if (inStep || size > area().capacity()) {
        // values of this step must stay valid, so the piece cannot be used again yet
        queue.outside("more values from the host than before");
        nextTurn();
        grow(Math.max(2 * area().capacity(), size));
      } else {
        nextTurn();
      }
    }
    start = sent;
    at = sent;
    end = sent + size;
    return this;
  }

  private static long aligned(long bytes) {
    return (Math.max(bytes, 1) + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
  }

  /** 4 bytes. */
  HostValues putInt(int v) {
    memory.set(ValueLayout.JAVA_INT, advance(4), v);
    return this;
  }

  /** 8 bytes; must be at a multiple of 8. */
  HostValues putLong(long v) {
    memory.set(ValueLayout.JAVA_LONG, advance(8), v);
    return this;
  }

  /** 4 bytes. */
  HostValues putFloat(float v) {
    memory.set(ValueLayout.JAVA_FLOAT, advance(4), v);
    return this;
  }

  /** Elements {@code [from, from + count)}. */
  HostValues putInts(int[] v, int from, int count) {
    MemorySegment.copy(v, from, memory, ValueLayout.JAVA_INT, advance(4L * count), count);
    return this;
  }

  /** All elements. */
  HostValues putFloats(float[] v) {
    MemorySegment.copy(v, 0, memory, ValueLayout.JAVA_FLOAT, advance(4L * v.length), v.length);
    return this;
  }

  private long advance(long bytes) {
    long here = at;
    if (here + bytes > end) {
      throw new IllegalStateException(
          "more host values than announced: " + (here + bytes - start) + " of " + (end - start));
    }
    at = here + bytes;
    return here;
  }

  /**
   * Sends them, in stream order.
   *
   * @return their device address, a multiple of 256, valid until the end of the step, or outside of
   *     steps for the operation that sends them
   */
  long send() {
    sent = end;
    if (!queue.replaying() && at > start) {
      queue.stream().upload(area().turns()[turn], start, address() + start, at - start);
    }
    return address() + start;
  }

  private long address() {
    return area().device().address();
  }

  /** A step begins: its values start at the beginning of the device memory. */
  void beginStep() {
    if (sent > 0) {
      nextTurn();
    }
    inStep = true;
  }

  /** The step is over: its values may be overwritten by later ones. */
  void endStep() {
    inStep = false;
  }

  /** Copies all values of the step at once. */
  void upload() {
    if (sent > 0) {
      queue.stream().upload(area().turns()[turn], 0, address(), sent);
    }
  }

  private Area area() {
    return areas.getLast();
  }

  private void nextTurn() {
    area().read()[turn].record(queue.stream());
    turn = (turn + 1) % TURNS;
    // what was enqueued TURNS turns ago has long been read, usually
    area().read()[turn].synchronize();
    memory = area().turns()[turn].segment();
    sent = 0;
  }

  private void grow(long capacity) {
    PinnedBuffer[] turns = new PinnedBuffer[TURNS];
    CudaEvent[] read = new CudaEvent[TURNS];
    for (int i = 0; i < TURNS; i++) {
      turns[i] = PinnedBuffer.allocate(context, capacity);
      read[i] = CudaEvent.create(context);
    }
    areas.add(new Area(DeviceBuffer.allocate(context, capacity), turns, read));
    turn = 0;
    memory = turns[0].segment();
    sent = 0;
  }

  @Override
  public void close() {
    areas.forEach(Area::close);
    areas.clear();
  }
}
