package dev.sidefade.cuda;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.management.ThreadMXBean;
import java.lang.management.ManagementFactory;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/**
 * The driver layer where there is nothing emulated: memory, order of streams, graphs, kernels. What
 * needs failures on demand is tested on the emulated driver alone.
 */
@Tag("gpu")
@ExtendWith(RealDriver.class)
class CudaDriverOnGpuTest extends CopyContract {
  private static final int MIB = 1 << 20;

  @Test
  void aLittleOfEverythingTwice() {
    Scenario.run();
    Scenario.run();
  }

  @Test
  void theDeviceIsDescribed() {
    CudaDevice device = context.device();
    assertFalse(device.name().isBlank());
    assertTrue(device.major() * 10 + device.minor() >= 75, device.describe());
    assertTrue(device.multiprocessors() > 0, device.describe());
    assertTrue(device.sharedBytesPerBlock() >= 48 << 10, device.describe());
    CudaContext.Memory memory = context.memory();
    assertTrue(memory.freeBytes() > 0 && memory.freeBytes() <= memory.totalBytes());
    assertTrue(CudaLibrary.driverVersion() >= CudaLibrary.NEEDED_DRIVER);
  }

  /** So much is written that a reader that does not wait comes too early. */
  @Test
  void anEventOrdersTwoStreams() {
    int count = 16 * MIB;
    try (CudaStream other = CudaStream.create(context);
        CudaEvent written = CudaEvent.create(context);
        CudaEvent read = CudaEvent.create(context);
        DeviceBuffer buffer = DeviceBuffer.allocate(context, 4L * count);
        PinnedBuffer back = PinnedBuffer.allocate(context, 16)) {
      for (int round = 1; round <= 10; round++) {
        stream.fill(buffer.address(), round, count);
        written.record(stream);
        other.waitFor(written);
        other.download(buffer.address() + 4L * count - 16, back, 0, 16);
        read.record(other);
        stream.waitFor(read);
        stream.zero(buffer.address(), 4L * count);
        other.synchronize();
        assertEquals(round, back.segment().getAtIndex(JAVA_INT, 3));
      }
      stream.synchronize();
      assertTrue(stream.isDone() && other.isDone() && written.isDone());
    }
  }

  @Test
  void aWrappedStreamIsLeftAlone() {
    try (DeviceBuffer buffer = DeviceBuffer.allocate(context, 4);
        PinnedBuffer back = PinnedBuffer.allocate(context, 4)) {
      CudaStream wrapped = CudaStream.wrap(context, stream.handle());
      wrapped.fill(buffer.address(), 77, 1);
      wrapped.close();
      stream.download(buffer.address(), back, 0, 4);
      stream.synchronize();
      assertEquals(77, back.segment().get(JAVA_INT, 0));
    }
  }

  @Test
  void aPoolCountsKeepsAndTrims() {
    try (MemoryPool pool = MemoryPool.create(context, 100L * MIB)) {
      DeviceBuffer a = pool.allocate(stream, 10 * MIB);
      DeviceBuffer b = pool.allocate(stream, 20 * MIB);
      stream.zero(b.address(), 20 * MIB);
      assertEquals(30L * MIB, pool.stats().used());
      assertTrue(pool.stats().reserved() >= 30L * MIB, pool.stats().toString());
      a.close();
      CudaOutOfMemoryException e =
          assertThrows(CudaOutOfMemoryException.class, () -> pool.allocate(stream, 80L * MIB + 1));
      assertTrue(e.getMessage().contains("memory pool with a limit"), e.getMessage());
      b.close();
      stream.synchronize();
      assertEquals(0, pool.stats().used());
      assertTrue(pool.stats().reserved() >= 30L * MIB, "kept for later: " + pool.stats());
      pool.trim();
      assertEquals(0, pool.stats().reserved());
    }
  }

  @Test
  void moreMemoryThanThereIsIsRefusedAndNothingElseSuffers() {
    long tooMuch = 2 * context.memory().totalBytes();
    assertThrows(
        CudaOutOfMemoryException.class, () -> DeviceBuffer.allocate(context, tooMuch).close());
    try (MemoryPool pool = MemoryPool.create(context, Long.MAX_VALUE)) {
      assertThrows(CudaOutOfMemoryException.class, () -> pool.allocate(stream, tooMuch).close());
    }
    stream.synchronize();
    assertFalse(context.isLost());
  }

  @Test
  void aGraphReadsTheHostAtEachLaunchAndTakesNewArgumentsOver() {
    try (PinnedBuffer host = PinnedBuffer.allocate(context, 8);
        DeviceBuffer buffer = DeviceBuffer.allocate(context, 8);
        CudaGraph graph =
            CudaGraph.capture(
                stream,
                () -> {
                  stream.upload(host, 0, buffer.address(), 4);
                  stream.copy(buffer.address(), buffer.address() + 4, 4);
                  stream.download(buffer.address() + 4, host, 4, 4);
                })) {
      assertEquals(3, graph.nodes());
      for (int value : new int[] {7, -3, 11}) {
        host.segment().setAtIndex(JAVA_INT, 0, value);
        graph.launch(stream);
        stream.synchronize();
        assertEquals(value, host.segment().getAtIndex(JAVA_INT, 1));
      }
    }
    try (PinnedBuffer host = PinnedBuffer.allocate(context, 4);
        DeviceBuffer buffer = DeviceBuffer.allocate(context, 4);
        CudaGraph graph = CudaGraph.capture(stream, () -> stream.fill(buffer.address(), 1, 1))) {
      assertTrue(graph.update(stream, () -> stream.fill(buffer.address(), 2, 1)));
      graph.launch(stream);
      stream.download(buffer.address(), host, 0, 4);
      stream.synchronize();
      assertEquals(2, host.segment().get(JAVA_INT, 0));
    }
  }

  @Test
  void kernelsAreWhatTheirSourceSays() {
    try (CudaModule module = CudaModule.load(context, "elementwise")) {
      CudaKernel bias = module.kernel("bias_add");
      // (float* y, const float* bias, long long rows, int width, int rows_of_block)
      assertEquals(
          List.of(8L, 8L, 8L, 4L, 4L),
          bias.parameters().stream().map(CudaKernel.Parameter::size).toList());
      assertTrue(bias.registers() > 0);
      assertEquals(0, bias.localBytes(), "spills");
      CudaException kernel =
          assertThrows(CudaException.class, () -> module.kernel("no_such_kernel"));
      assertEquals("CUDA_ERROR_NOT_FOUND", kernel.name());
      byte[] image = "neither fatbin nor PTX".getBytes(StandardCharsets.UTF_8);
      assertThrows(CudaException.class, () -> CudaModule.load(context, "mine", image));
    }
  }

  @Test
  void aBlockMayHaveAllSharedMemoryOfTheDevice() {
    try (CudaModule module = CudaModule.load(context, "elementwise");
        DeviceBuffer x = DeviceBuffer.allocate(context, 4)) {
      CudaKernel add = module.kernel("add");
      int most = context.device().sharedBytesPerBlock() - add.staticSharedBytes();
      add.allowShared(most);
      stream.zero(x.address(), 4);
      add.set(0, x.address());
      add.set(1, x.address());
      add.set(2, 1L);
      add.launch(stream, 1, 1, 1, 32, most);
      stream.synchronize();
      assertThrows(IllegalArgumentException.class, () -> add.allowShared(most + 1));
    }
  }

  @Test
  void launchingAllocatesNothing() {
    try (CudaModule module = CudaModule.load(context, "elementwise");
        DeviceBuffer x = DeviceBuffer.allocate(context, 4)) {
      CudaKernel add = module.kernel("add");
      add.set(0, x.address());
      add.set(1, x.address());
      add.set(2, 0L);
      ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
      long least = Long.MAX_VALUE;
      // until the compiler is done with it
      for (int round = 0; round < 40 && least > 0; round++) {
        long before = threads.getCurrentThreadAllocatedBytes();
        for (int i = 0; i < 2_000; i++) {
          add.launch(stream, 1, 1, 1, 32, 0);
        }
        least = Math.min(least, threads.getCurrentThreadAllocatedBytes() - before);
        stream.synchronize();
      }
      assertEquals(0, least);
    }
  }
}
