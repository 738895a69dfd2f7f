package dev.sidefade.cuda;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.foreign.MemorySegment;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Copies, fills and the order of streams. */
@ExtendWith(Emulation.class)
class CudaStreamTest extends CopyContract {
  @Test
  void fillsWordsAndNothingElse() {
    try (DeviceBuffer buffer = DeviceBuffer.allocate(context, 40);
        PinnedBuffer back = PinnedBuffer.allocate(context, 40)) {
      stream.zero(buffer.address(), 40);
      stream.fill(buffer.address() + 4, 0xCAFEBABE, 8);
      stream.zero(buffer.address(), 0);
      stream.fill(buffer.address(), 1, 0);
      stream.copy(buffer.address(), buffer.address(), 0);
      stream.download(buffer.address(), back, 0, 40);
      stream.synchronize();
      for (int i = 0; i < 10; i++) {
        assertEquals(i == 0 || i == 9 ? 0 : 0xCAFEBABE, back.segment().getAtIndex(JAVA_INT, i));
      }
    }
  }

  @Test
  void rangesOutsideOfABufferAreRefused() {
    try (PinnedBuffer pinned = PinnedBuffer.allocate(context, 16);
        DeviceBuffer device = DeviceBuffer.allocate(context, 16)) {
      long at = device.address();
      assertThrows(IndexOutOfBoundsException.class, () -> stream.upload(pinned, 1, at, 16));
      assertThrows(IndexOutOfBoundsException.class, () -> stream.upload(pinned, -1, at, 4));
      assertThrows(IndexOutOfBoundsException.class, () -> stream.download(at, pinned, 0, -4));
      assertThrows(
          IndexOutOfBoundsException.class, () -> stream.download(at, pinned, 8, Long.MAX_VALUE));
      CudaException e = assertThrows(CudaException.class, () -> stream.copy(at, at + 8, 16));
      assertEquals("cuMemcpyDtoDAsync_v2", e.call());
      assertTrue(e.getMessage().contains("16 bytes"), e.getMessage());
      assertThrows(
          IllegalArgumentException.class,
          () -> stream.upload(MemorySegment.ofArray(new byte[4]), at));
      assertThrows(IllegalArgumentException.class, () -> DeviceBuffer.allocate(context, 0));
      assertThrows(IllegalArgumentException.class, () -> PinnedBuffer.allocate(context, -1));
    }
  }

  /** One stream writes, the other reads; only with the event is the read behind the write. */
  private long readAcrossStreams(boolean wait) {
    try (CudaStream other = CudaStream.create(context);
        CudaEvent written = CudaEvent.create(context);
        DeviceBuffer buffer = DeviceBuffer.allocate(context, 8);
        PinnedBuffer back = PinnedBuffer.allocate(context, 8)) {
      stream.fill(buffer.address(), 1, 2);
      stream.synchronize();
      stream.fill(buffer.address(), 2, 2);
      written.record(stream);
      if (wait) {
        other.waitFor(written);
      }
      other.download(buffer.address(), back, 0, 8);
      other.synchronize();
      long seen = back.segment().get(JAVA_LONG, 0);
      context.synchronize();
      return seen;
    }
  }

  @ParameterizedTest
  @EnumSource(Emulation.Order.class)
  void anEventOrdersTwoStreams(Emulation.Order order) {
    Emulation.order(order);
    assertEquals(0x200000002L, readAcrossStreams(true));
  }

  @Test
  void withoutTheEventTheOrderIsOpen() {
    Emulation.order(Emulation.Order.LAZY);
    assertNotEquals(0x200000002L, readAcrossStreams(false));
  }

  @Test
  void eventsAndStreamsTellWhetherTheyAreDone() {
    try (CudaEvent event = CudaEvent.create(context);
        CudaEvent start = CudaEvent.createTiming(context);
        CudaEvent end = CudaEvent.createTiming(context);
        DeviceBuffer buffer = DeviceBuffer.allocate(context, 64)) {
      assertTrue(event.isDone());
      assertTrue(stream.isDone());
      start.record(stream);
      for (int i = 0; i < 10; i++) {
        stream.fill(buffer.address(), i, 16);
      }
      end.record(stream);
      event.record(stream);
      assertFalse(event.isDone());
      assertFalse(stream.isDone());
      event.synchronize();
      assertTrue(event.isDone());
      assertTrue(stream.isDone());
      assertTrue(end.millisecondsSince(start) >= 0);
      assertThrows(IllegalStateException.class, () -> event.millisecondsSince(start));
      assertThrows(IllegalStateException.class, () -> end.millisecondsSince(event));
    }
  }

  @Test
  void aWrappedStreamIsLeftAlone() {
    try (DeviceBuffer buffer = DeviceBuffer.allocate(context, 4);
        PinnedBuffer back = PinnedBuffer.allocate(context, 4)) {
      CudaStream wrapped = CudaStream.wrap(context, stream.handle());
      assertEquals(stream.handle(), wrapped.handle());
      wrapped.fill(buffer.address(), 77, 1);
      wrapped.close();
      assertThrows(IllegalStateException.class, wrapped::synchronize);
      stream.download(buffer.address(), back, 0, 4);
      stream.synchronize();
      assertEquals(77, back.segment().get(JAVA_INT, 0));
      try (CudaStream legacy = CudaStream.wrap(context, 0)) {
        legacy.fill(buffer.address(), 5, 1);
        legacy.synchronize();
      }
    }
  }
}
