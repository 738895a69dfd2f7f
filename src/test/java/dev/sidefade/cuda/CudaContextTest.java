package dev.sidefade.cuda;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.sidefade.cuda.ffi.CudaDriver;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** Devices, contexts, who may use them and what is alive in them. */
@SuppressWarnings("try") // what is opened is only to be alive, and is closed more than once
@ExtendWith(Emulation.class)
class CudaContextTest {
  private static Throwable thrownInAnotherThread(Runnable use) throws InterruptedException {
    AtomicReference<Throwable> thrown = new AtomicReference<>();
    Thread thread =
        new Thread(
            () -> {
              try {
                use.run();
              } catch (RuntimeException e) {
                thrown.set(e);
              }
            },
            "other");
    thread.start();
    thread.join();
    return thrown.get();
  }

  @Test
  void theDeviceIsDescribed() {
    List<CudaDevice> all = CudaDevice.all();
    assertEquals(1, all.size());
    CudaDevice device = all.getFirst();
    assertEquals(device, CudaDevice.get(0));
    assertEquals(9, device.major());
    assertEquals(0, device.minor());
    assertEquals(132, device.multiprocessors());
    assertEquals(1L << 30, device.totalBytes());
    assertEquals(227 << 10, device.sharedBytesPerBlock());
    assertTrue(device.supportsMemoryPools());
    assertEquals(
        "Sidefade emulated GPU, compute capability 9.0, 132 multiprocessors, 1024 MiB",
        device.describe());
    CudaException e = assertThrows(CudaException.class, () -> CudaDevice.get(1));
    assertEquals("CUDA_ERROR_INVALID_DEVICE", e.name());
    assertTrue(e.detail().contains("there is no device 1"), e.detail());
  }

  @Test
  void theLibraryReportsWhatItFound() {
    assertTrue(CudaLibrary.unavailable().isEmpty());
    assertEquals(13_000, CudaLibrary.driverVersion());
    String report = String.join("\n", CudaLibrary.report());
    assertTrue(report.contains("libcuda.so.1"), report);
    assertTrue(report.contains("driver for CUDA 13.0"), report);
    assertTrue(report.contains("1 device"), report);
  }

  @Test
  void aContextIsReleasedOnceAndCanBeOpenedAgain() {
    for (int i = 0; i < 3; i++) {
      CudaContext context = CudaContext.open(CudaDevice.get(0));
      assertEquals(1, Emulation.live(Emulation.Kind.CONTEXTS));
      assertTrue(context.memory().freeBytes() <= context.memory().totalBytes());
      context.close();
      context.close();
      assertEquals(0, Emulation.live(Emulation.Kind.CONTEXTS));
      assertFalse(context.isOpen());
      IllegalStateException e = assertThrows(IllegalStateException.class, context::synchronize);
      assertTrue(e.getMessage().contains("is closed"), e.getMessage());
    }
  }

  @Test
  void twoUsersShareThePrimaryContext() {
    CudaContext first = CudaContext.open(CudaDevice.get(0));
    try (CudaContext second = CudaContext.open(CudaDevice.get(0));
        DeviceBuffer buffer = DeviceBuffer.allocate(second, 16)) {
      assertEquals(first.handle(), second.handle());
      assertTrue(first.accounting().isClear());
      assertEquals(16, second.accounting().deviceBytes());
    }
    // still current and usable for the first
    try (DeviceBuffer buffer = DeviceBuffer.allocate(first, 16)) {
      assertEquals(16, first.accounting().deviceBytes());
    }
    first.close();
  }

  /** Whoever took it over had nothing current before, and has nothing afterwards. */
  @Test
  void theThreadThatClosesFindsItsOwnContextAgain() throws InterruptedException {
    CudaContext first = CudaContext.open(CudaDevice.get(0));
    CudaContext second = CudaContext.open(CudaDevice.get(0));
    AtomicLong current = new AtomicLong(-1);
    Throwable thrown =
        thrownInAnotherThread(() -> {
          second.takeOver();
          second.close();
          try (Arena arena = Arena.ofConfined()) {
            MemorySegment out = arena.allocate(ValueLayout.ADDRESS);
            assertEquals(0, CudaDriver.cuCtxGetCurrent(out));
            current.set(out.get(ValueLayout.ADDRESS, 0).address());
          }
        });
    assertEquals(null, thrown);
    assertEquals(0, current.get());
    first.synchronize();
    first.close();
  }

  @Test
  void accountingKnowsWhatIsAlive() {
    try (CudaContext context = CudaContext.open(CudaDevice.get(0))) {
      CudaAccounting accounting = context.accounting();
      try (CudaStream stream = CudaStream.create(context);
          CudaStream wrapped = CudaStream.wrap(context, stream.handle());
          CudaEvent event = CudaEvent.create(context);
          DeviceBuffer a = DeviceBuffer.allocate(context, 1000);
          DeviceBuffer b = DeviceBuffer.allocate(context, 24);
          PinnedBuffer pinned = PinnedBuffer.allocate(context, 77);
          MemoryPool pool = MemoryPool.create(context, 100);
          CudaModule module = CudaModule.load(context, "elementwise");
          CudaGraph graph = CudaGraph.capture(stream, () -> stream.zero(a.address(), 4))) {
        assertEquals(1024, accounting.deviceBytes());
        assertEquals(2, accounting.deviceBuffers());
        assertEquals(77, accounting.pinnedBytes());
        assertEquals(1, accounting.pinnedBuffers());
        assertEquals(1, accounting.streams());
        assertEquals(1, accounting.events());
        assertEquals(1, accounting.modules());
        assertEquals(1, accounting.graphs());
        assertEquals(1, accounting.pools());
        assertEquals(0, accounting.cublasHandles());
        assertEquals(9, accounting.alive().size());
        assertTrue(accounting.alive().getFirst().startsWith("stream 0x"));
        for (Emulation.Kind kind : Emulation.Kind.values()) {
          assertTrue(kind == Emulation.Kind.LAUNCHES || Emulation.live(kind) > 0, "alive " + kind);
        }
        a.close();
        a.close();
        assertEquals(24, accounting.deviceBytes());
        assertEquals(1024, accounting.peakDeviceBytes());
        accounting.resetPeak();
        assertEquals(24, accounting.peakDeviceBytes());
      }
      assertTrue(accounting.isClear(), accounting.toString());
      assertTrue(accounting.toString().startsWith("0 device bytes in 0 buffers"));
    }
  }

  @Test
  void closingAContextReleasesWhatIsLeft() {
    CudaContext context = CudaContext.open(CudaDevice.get(0));
    CudaStream stream = CudaStream.create(context);
    MemoryPool pool = MemoryPool.create(context, 1 << 20);
    DeviceBuffer buffer = pool.allocate(stream, 100);
    PinnedBuffer pinned = PinnedBuffer.allocate(context, 8);
    CudaModule module = CudaModule.load(context, "elementwise");
    CudaKernel add = module.kernel("add");
    Cublas cublas = Cublas.create(stream);
    context.close();
    assertEquals(List.of(), Emulation.left());
    assertEquals(List.of(), Emulation.forgotten());
    for (CudaResource resource : List.of(stream, pool, buffer, pinned, module, cublas)) {
      assertFalse(resource.isOpen());
      resource.close();
    }
    assertThrows(IllegalStateException.class, buffer::address);
    assertThrows(IllegalStateException.class, () -> pinned.segment().fill((byte) 0));
    assertThrows(IllegalStateException.class, () -> add.set(0, 1L));
    assertThrows(IllegalStateException.class, () -> add.launch(stream, 1, 1, 1, 32, 0));
    assertThrows(IllegalStateException.class, () -> CudaStream.create(context));
  }

  @Test
  void useAfterCloseIsAnException() {
    try (CudaContext context = CudaContext.open(CudaDevice.get(0));
        CudaStream open = CudaStream.create(context)) {
      CudaStream stream = CudaStream.create(context);
      stream.close();
      CudaEvent event = CudaEvent.create(context);
      event.close();
      DeviceBuffer buffer = DeviceBuffer.allocate(context, 16);
      buffer.close();
      MemoryPool pool = MemoryPool.create(context, 16);
      pool.close();
      Cublas cublas = Cublas.create(open);
      cublas.close();
      CudaModule module = CudaModule.load(context, "elementwise");
      module.close();
      CudaGraph graph = CudaGraph.capture(open, () -> {});
      graph.close();
      for (Runnable use :
          List.<Runnable>of(
              stream::synchronize,
              stream::isDone,
              () -> event.record(open),
              () -> open.waitFor(event),
              event::isDone,
              buffer::address,
              () -> pool.allocate(open, 1),
              () -> cublas.gemm(0, false, 0, false, 0, 1, 1, 1, 0),
              () -> module.kernel("add"),
              () -> graph.launch(open))) {
        IllegalStateException e = assertThrows(IllegalStateException.class, use::run);
        assertTrue(e.getMessage().contains("is closed"), e.getMessage());
        assertTrue(e.getMessage().contains("-Ddev.sidefade.track=true"), e.getMessage());
      }
    }
  }

  @Test
  void anotherThreadIsRefusedUntilItTakesOver() throws InterruptedException {
    CudaContext context = CudaContext.open(CudaDevice.get(0));
    CudaStream stream = CudaStream.create(context);
    DeviceBuffer buffer = DeviceBuffer.allocate(context, 16);
    for (Runnable use :
        List.<Runnable>of(
            context::synchronize,
            context::close,
            stream::synchronize,
            stream::close,
            buffer::address,
            () -> CudaEvent.create(context))) {
      Throwable thrown = thrownInAnotherThread(use);
      assertSame(WrongThreadException.class, thrown.getClass());
      assertTrue(thrown.getMessage().contains("takeOver()"), thrown.getMessage());
      assertTrue(thrown.getMessage().contains("thread other"), thrown.getMessage());
    }
    assertTrue(buffer.isOpen() && stream.isOpen() && context.isOpen());
    Throwable thrown =
        thrownInAnotherThread(() -> {
          context.takeOver();
          stream.zero(buffer.address(), 16);
          stream.synchronize();
        });
    assertEquals(null, thrown);
    assertFalse(context.isMine());
    assertThrows(WrongThreadException.class, stream::synchronize);
    context.takeOver();
    assertTrue(context.isMine());
    stream.synchronize();
    context.close();
  }
}
