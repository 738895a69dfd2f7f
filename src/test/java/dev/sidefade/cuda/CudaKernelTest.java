package dev.sidefade.cuda;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.management.ThreadMXBean;
import dev.sidefade.tensor.BadInputException;
import java.lang.management.ManagementFactory;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** Modules, kernels and their arguments. */
@ExtendWith(Emulation.class)
class CudaKernelTest {
  private CudaContext context;
  private CudaStream stream;
  private CudaModule module;

  @BeforeEach
  void open() {
    context = CudaContext.open(CudaDevice.get(0));
    stream = CudaStream.create(context);
    module = CudaModule.load(context, "elementwise");
  }

  @AfterEach
  void close() {
    module.close();
    stream.close();
    assertTrue(context.accounting().isClear());
    context.close();
  }

  @Test
  void parametersAreThoseOfTheSource() {
    // (const float* x, float* y, long long n)
    assertEquals(
        List.of(
            new CudaKernel.Parameter(0, 8),
            new CudaKernel.Parameter(8, 8),
            new CudaKernel.Parameter(16, 8)),
        module.kernel("add").parameters());
    // (float* y, const float* bias, long long rows, int width, int rows_of_block)
    CudaKernel bias = module.kernel("bias_add");
    assertEquals(
        List.of(8L, 8L, 8L, 4L, 4L),
        bias.parameters().stream().map(CudaKernel.Parameter::size).toList());
    assertTrue(bias.registers() > 0);
    assertEquals(0, bias.localBytes());
    assertTrue(bias.staticSharedBytes() >= 0);
    assertEquals("kernel bias_add with 5 parameters", bias.toString());
  }

  @Test
  void argumentsStayUntilSetAgainAndMayChangeBehindALaunch() {
    long bytes = 4L * Scenario.COUNT;
    try (DeviceBuffer x = DeviceBuffer.allocate(context, bytes);
        DeviceBuffer y = DeviceBuffer.allocate(context, bytes);
        PinnedBuffer host = PinnedBuffer.allocate(context, bytes)) {
      for (int i = 0; i < Scenario.COUNT; i++) {
        host.segment().setAtIndex(java.lang.foreign.ValueLayout.JAVA_FLOAT, i, i);
      }
      stream.upload(host, 0, x.address(), bytes);
      stream.zero(y.address(), bytes);
      CudaKernel add = module.kernel("add");
      Scenario.launchAdd(add, stream, x.address(), y.address());
      add.launch(stream, 3, 1, 1, 256, 0);
      // launches hold the arguments that they were made with
      add.set(0, 0L);
      add.set(2, 0L);
      stream.download(y.address(), host, 0, bytes);
      stream.synchronize();
      Scenario.expect(host.segment(), 2f);
    }
  }

  @Test
  void argumentsOfAWrongKindAreRefused() {
    CudaKernel bias = module.kernel("bias_add");
    for (Runnable wrong :
        List.<Runnable>of(
            () -> bias.set(0, 1),
            () -> bias.set(0, 1f),
            () -> bias.set(3, 1L),
            () -> bias.set(5, 1),
            () -> bias.set(-1, 1L))) {
      assertThrows(IllegalArgumentException.class, wrong::run);
    }
    IllegalArgumentException e = assertThrows(IllegalArgumentException.class, () -> bias.set(2, 7));
    assertEquals("parameter 2 of kernel bias_add has 8 bytes, the value 4", e.getMessage());
    bias.set(0, 0L);
    bias.set(1, 0L);
    bias.set(3, 1);
    bias.set(4, 1);
    IllegalStateException missing =
        assertThrows(IllegalStateException.class, () -> bias.launch(stream, 1, 1, 1, 256, 0));
    assertEquals("argument 2 of kernel bias_add is not set", missing.getMessage());
  }

  @Test
  void moreSharedMemoryIsAskedFor() {
    CudaKernel add = module.kernel("add");
    add.set(0, 0L);
    add.set(1, 0L);
    add.set(2, 0L);
    CudaException e =
        assertThrows(CudaException.class, () -> add.launch(stream, 1, 1, 1, 32, 100_000));
    assertTrue(e.getMessage().contains("100000 bytes of shared memory"), e.getMessage());
    add.allowShared(100_000);
    add.allowShared(10);
    add.launch(stream, 1, 1, 1, 32, 100_000);
    IllegalArgumentException most =
        assertThrows(IllegalArgumentException.class, () -> add.allowShared(1 << 20));
    assertTrue(most.getMessage().contains("at most 232448"), most.getMessage());
  }

  @Test
  void whatIsNotThereIsSaid() {
    assertTrue(CudaModule.isPresent("elementwise"));
    assertFalse(CudaModule.isPresent("no_such_file"));
    BadInputException file =
        assertThrows(BadInputException.class, () -> CudaModule.load(context, "no_such_file"));
    assertTrue(file.getMessage().contains("no_such_file.fatbin"), file.getMessage());
    CudaException kernel = assertThrows(CudaException.class, () -> module.kernel("no_such_kernel"));
    assertEquals("CUDA_ERROR_NOT_FOUND", kernel.name());
    assertTrue(kernel.getMessage().contains("no_such_kernel of elementwise"));
    byte[] image = "neither fatbin nor PTX".getBytes(StandardCharsets.UTF_8);
    CudaException bad =
        assertThrows(CudaException.class, () -> CudaModule.load(context, "mine", image));
    assertEquals("CUDA_ERROR_INVALID_IMAGE", bad.name());
    for (String part : List.of("kernels of mine", "capability 9.0", "CUDA 13.0")) {
      assertTrue(bad.getMessage().contains(part), bad.getMessage());
    }
  }

  @Test
  void launchingAllocatesNothing() {
    Emulation.noop(true);
    CudaKernel bias = module.kernel("bias_add");
    ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    long least = Long.MAX_VALUE;
    // until the compiler is done with it
    for (int round = 0; round < 40 && least > 0; round++) {
      long before = threads.getCurrentThreadAllocatedBytes();
      launchOften(bias);
      least = Math.min(least, threads.getCurrentThreadAllocatedBytes() - before);
    }
    assertEquals(0, least);
    assertTrue(Emulation.live(Emulation.Kind.LAUNCHES) >= 2_000);
  }

  private void launchOften(CudaKernel bias) {
    for (int i = 0; i < 2_000; i++) {
      bias.set(0, (long) i);
      bias.set(1, 4096L + i);
      bias.set(2, 12L);
      bias.set(3, i);
      bias.set(4, 2);
      bias.launch(stream, i + 1, 1, 1, 256, 0);
    }
  }
}
