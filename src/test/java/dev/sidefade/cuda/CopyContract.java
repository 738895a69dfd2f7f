package dev.sidefade.cuda;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** Copies between host and device, whichever driver makes them. */
abstract class CopyContract extends StreamFixture {
  @Test
  void bytesGoThereAndBackByEveryWay() {
    Random random = new Random(5);
    for (int bytes : new int[] {1, 3, 4, 255, 4096, 70_001, (3 << 20) + 7}) {
      byte[] content = new byte[bytes];
      random.nextBytes(content);
      try (Arena arena = Arena.ofConfined();
          PinnedBuffer pinned = PinnedBuffer.allocate(context, bytes + 8L);
          DeviceBuffer a = DeviceBuffer.allocate(context, bytes);
          DeviceBuffer b = DeviceBuffer.allocate(context, bytes)) {
        assertEquals(0, a.address() % 256);
        MemorySegment.copy(content, 0, pinned.segment(), JAVA_BYTE, 8, bytes);
        stream.upload(pinned, 8, a.address(), bytes);
        stream.copy(a.address(), b.address(), bytes);
        MemorySegment pageable = arena.allocate(bytes);
        stream.download(b.address(), pageable);
        assertArrayEquals(content, pageable.toArray(JAVA_BYTE));
        stream.zero(b.address(), bytes);
        stream.upload(pageable, a.address());
        stream.copy(a.address() + bytes / 2, b.address(), bytes - bytes / 2);
        stream.download(b.address(), pinned, 0, bytes);
        stream.synchronize();
        byte[] expected = new byte[bytes];
        System.arraycopy(content, bytes / 2, expected, 0, bytes - bytes / 2);
        assertArrayEquals(expected, pinned.segment().asSlice(0, bytes).toArray(JAVA_BYTE));
      }
    }
  }
}
