package dev.sidefade.cuda;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** Memory that comes and goes in stream order. */
@SuppressWarnings("try") // buffers are closed twice
@ExtendWith(Emulation.class)
class MemoryPoolTest {
  private static final int MIB = 1 << 20;

  private CudaContext context;
  private CudaStream stream;

  @BeforeEach
  void open() {
    context = CudaContext.open(CudaDevice.get(0));
    stream = CudaStream.create(context);
  }

  @AfterEach
  void close() {
    context.close();
  }

  @Test
  void countsAndKeepsAndTrims() {
    try (MemoryPool pool = MemoryPool.create(context, 100L * MIB)) {
      DeviceBuffer a = pool.allocate(stream, 10 * MIB);
      DeviceBuffer b = pool.allocate(stream, 20 * MIB);
      assertEquals(30L * MIB, pool.stats().used());
      assertTrue(pool.stats().reserved() >= 30L * MIB);
      a.close();
      a.close();
      assertEquals(20L * MIB, pool.stats().used());
      assertEquals(30L * MIB, pool.stats().usedHigh());
      assertEquals(100L * MIB, pool.stats().limit());
      b.close();
      stream.synchronize();
      assertEquals(0, pool.stats().used());
      assertTrue(pool.stats().reserved() >= 30L * MIB, "kept for later");
      pool.trim();
      assertEquals(0, pool.stats().reserved());
      assertTrue(pool.stats().reservedHigh() >= 30L * MIB);
    }
    assertEquals(0, context.accounting().deviceBytes());
  }

  @Test
  void theLimitIsHardAndExplained() {
    try (MemoryPool pool = MemoryPool.create(context, 1000);
        DeviceBuffer held = pool.allocate(stream, 600)) {
      CudaOutOfMemoryException e =
          assertThrows(CudaOutOfMemoryException.class, () -> pool.allocate(stream, 401));
      assertEquals(401, e.requested());
      assertEquals(600, e.used());
      assertEquals(1L << 30, e.total());
      assertTrue(e.free() > 0);
      assertTrue(e.getMessage().contains("limit of 1000 bytes"), e.getMessage());
      assertTrue(e.getMessage().contains("Turn down the batch size"), e.getMessage());
      pool.allocate(stream, 400).close();
      held.close();
      pool.allocate(stream, 1000).close();
      assertThrows(CudaOutOfMemoryException.class, () -> pool.allocate(stream, Long.MAX_VALUE));
    }
    assertThrows(IllegalArgumentException.class, () -> MemoryPool.create(context, 0));
  }

  @Test
  void theDeviceItselfIsALimit() {
    try (MemoryPool pool = MemoryPool.create(context, Long.MAX_VALUE)) {
      CudaOutOfMemoryException e =
          assertThrows(CudaOutOfMemoryException.class, () -> pool.allocate(stream, 2L << 30));
      assertTrue(e.getMessage().contains("requested 2048 MiB"), e.getMessage());
      assertTrue(e.getMessage().contains("of 1024 MiB"), e.getMessage());
    }
  }

  @Test
  void buffersOutliveTheirStreamAndPool() {
    MemoryPool pool = MemoryPool.create(context, MIB);
    CudaStream other = CudaStream.create(context);
    DeviceBuffer a = pool.allocate(other, 100);
    DeviceBuffer b = pool.allocate(stream, 100);
    other.close();
    pool.close();
    stream.zero(b.address(), 100);
    a.close();
    b.close();
    stream.close();
    assertTrue(context.accounting().isClear());
  }

  @Test
  void aDeviceWithoutPoolsIsSaid() {
    // no such device is emulated: the driver refuses in its stead
    Emulation.fail("cuMemPoolCreate", 1, 801);
    CudaException e = assertThrows(CudaException.class, () -> MemoryPool.create(context, 1));
    assertEquals("CUDA_ERROR_NOT_SUPPORTED", e.name());
  }
}
