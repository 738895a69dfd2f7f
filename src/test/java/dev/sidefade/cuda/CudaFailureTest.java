package dev.sidefade.cuda;

import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Whatever fails, and wherever: a typed error that says what, nothing leaks, nothing crashes. */
@ExtendWith(Emulation.class)
class CudaFailureTest {
  private static final int INVALID_VALUE = 1;
  private static final int UNKNOWN = 999;
  private static final int ILLEGAL_ADDRESS = 700;
  private static final int LAUNCH_FAILED = 719;
  private static final int DEVICE_UNAVAILABLE = 46;

  @Test
  void theScenarioItselfSucceeds() {
    Scenario.run();
    assertEquals(List.of(), Emulation.left());
    assertEquals(List.of(), Emulation.forgotten());
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "cuCtxGetCurrent",
        "cuDevicePrimaryCtxRetain",
        "cuCtxSetCurrent",
        "cuStreamCreate",
        "cuEventCreate",
        "cuMemHostAlloc",
        "cuMemAlloc_v2",
        "cuMemPoolCreate",
        "cuMemPoolSetAttribute",
        "cuMemAllocFromPoolAsync",
        "cuLibraryLoadData",
        "cuLibraryGetKernel",
        "cuKernelGetFunction",
        "cuKernelGetParamInfo",
        "cuFuncSetAttribute",
        "cuMemcpyAsync",
        "cuEventRecord",
        "cuStreamWaitEvent",
        "cuMemsetD8Async",
        "cuLaunchKernel",
        "cuStreamBeginCapture_v2",
        "cuGraphGetNodes",
        "cuGraphInstantiateWithFlags",
        "cuGraphLaunch",
        "cuStreamSynchronize",
        "cuEventElapsedTime_v2",
        "cuMemcpyDtoHAsync_v2",
        "cuCtxSynchronize",
        "cuMemPoolTrimTo",
        "cuMemPoolGetAttribute",
        "cuMemGetInfo_v2",
        "cublasCreate_v2",
        "cublasSetStream_v2",
        "cublasSetWorkspace_v2",
        "cublasSetMathMode",
        "cublasSgemm_v2"
      })
  void aCallThatFailsIsNamedAndNothingLeaks(String function) {
    Emulation.fail(function, 1, function.startsWith("cublas") ? 14 : UNKNOWN);
    CudaException e = assertThrows(CudaException.class, Scenario::run);
    assertEquals(function, e.call());
    assertTrue(e.getMessage().contains(e.name()), e.getMessage());
    assertEquals(
        function.startsWith("cublas") ? "CUBLAS_STATUS_INTERNAL_ERROR" : "CUDA_ERROR_UNKNOWN",
        e.name());
    assertEquals(List.of(), Emulation.left(), function);
    assertEquals(List.of(), Emulation.forgotten(), function);
    assertDoesNotThrow(Scenario::run, "it works again afterwards");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "cuStreamDestroy_v2",
        "cuEventDestroy_v2",
        "cuMemFree_v2",
        "cuMemFreeHost",
        "cuMemFreeAsync",
        "cuMemPoolDestroy",
        "cuLibraryUnload",
        "cuGraphDestroy",
        "cuGraphExecDestroy",
        "cuStreamEndCapture",
        "cublasDestroy_v2"
      })
  void whatCannotBeGivenBackIsSaidAndEndsWithTheContext(String function) {
    Emulation.fail(function, 1, function.startsWith("cublas") ? 14 : UNKNOWN);
    CudaException e = assertThrows(CudaException.class, Scenario::run);
    assertEquals(function, e.call());
    assertEquals(List.of(), Emulation.left());
    assertDoesNotThrow(Scenario::run, "it works again afterwards");
  }

  @Test
  void aGraphThatCannotBeUpdatedIsMadeAnew() {
    Emulation.fail("cuGraphExecUpdate_v2", 1, 910);
    Scenario.run();
    assertEquals(List.of(), Emulation.forgotten());
  }

  @Test
  void outOfMemoryAtEveryAllocationInTurn() {
    int failures = 0;
    for (int nth = 1; nth < 100; nth++) {
      Emulation.outOfMemory(nth);
      try {
        Scenario.run();
        break;
      } catch (CudaOutOfMemoryException e) {
        failures++;
        assertEquals("CUDA_ERROR_OUT_OF_MEMORY", e.name());
        assertTrue(e.requested() > 0 || e.call().startsWith("cuGraph"), e.getMessage());
        assertEquals(e.requested() > 0, e.getMessage().contains("requested "), e.getMessage());
        assertEquals(1L << 30, e.total());
        for (String part : List.of("free on the device ", "in use here", "Turn down")) {
          assertTrue(e.getMessage().contains(part), e.getMessage());
        }
      }
      assertEquals(List.of(), Emulation.left(), "allocation " + nth);
      assertEquals(List.of(), Emulation.forgotten(), "allocation " + nth);
    }
    // pinned, device, pool, graph, workspace of cuBLAS, pinned
    assertEquals(6, failures);
  }

  @Test
  void aKernelThatFailsLosesTheContext() {
    CudaContext context = CudaContext.open(CudaDevice.get(0));
    CudaStream stream = CudaStream.create(context);
    DeviceBuffer x = DeviceBuffer.allocate(context, 4L * Scenario.COUNT);
    CudaModule module = CudaModule.load(context, "elementwise");
    CudaKernel add = module.kernel("add");
    Emulation.failLaunch(1, LAUNCH_FAILED);
    Scenario.launchAdd(add, stream, x.address(), x.address());
    CudaException first = assertThrows(CudaException.class, stream::synchronize);
    assertEquals("CUDA_ERROR_LAUNCH_FAILED", first.name());
    assertEquals("cuStreamSynchronize", first.call());
    assertTrue(first.getMessage().contains("the context is lost"), first.getMessage());
    assertTrue(context.isLost());
    CudaException second =
        assertThrows(CudaException.class, () -> DeviceBuffer.allocate(context, 1));
    assertSame(first, second.getCause());
    assertTrue(second.getMessage().contains("lost by an earlier failure"), second.getMessage());
    assertThrows(
        CudaException.class, () -> Scenario.launchAdd(add, stream, x.address(), x.address()));
    module.close();
    x.close();
    stream.close();
    assertTrue(context.accounting().isClear());
    context.close();
    assertEquals(List.of(), Emulation.left());
    Scenario.run();
  }

  @ParameterizedTest
  @ValueSource(ints = {ILLEGAL_ADDRESS, LAUNCH_FAILED, 214, 702, 710, 716})
  void aStickyErrorAnywhereIsSurvived(int code) {
    CudaContext context = CudaContext.open(CudaDevice.get(0));
    try (context;
        CudaStream stream = CudaStream.create(context);
        PinnedBuffer pinned = PinnedBuffer.allocate(context, 64);
        CudaEvent event = CudaEvent.create(context);
        MemoryPool pool = MemoryPool.create(context, 1 << 20);
        DeviceBuffer buffer = pool.allocate(stream, 64);
        Cublas cublas = Cublas.create(stream)) {
      long address = buffer.address();
      Emulation.sticky(code);
      CudaException e =
          assertThrows(CudaException.class, () -> stream.upload(pinned, 0, address, 64));
      assertEquals(code, e.code());
      assertTrue(context.isLost());
      for (Runnable use :
          List.<Runnable>of(
              () -> stream.zero(address, 64),
              () -> event.record(stream),
              () -> stream.waitFor(event),
              () -> pool.allocate(stream, 64),
              pool::stats,
              context::memory,
              buffer::address,
              () -> cublas.gemm(address, false, address, false, address, 2, 2, 2, 0),
              () -> CudaGraph.capture(stream, () -> {}))) {
        assertEquals(code, assertThrows(CudaException.class, use::run).code());
      }
    }
    assertEquals(List.of(), Emulation.left());
    assertTrue(context.accounting().isClear());
    Scenario.run();
  }

  @Test
  void aFailureThatNobodyHasHeardOfIsSaidWhenTheContextIsClosed() {
    CudaContext context = CudaContext.open(CudaDevice.get(0));
    CudaStream stream = CudaStream.create(context);
    DeviceBuffer x = DeviceBuffer.allocate(context, 4L * Scenario.COUNT);
    Emulation.failLaunch(1, LAUNCH_FAILED);
    Scenario.launchAdd(
        CudaModule.load(context, "elementwise").kernel("add"), stream, x.address(), x.address());
    CudaException e = assertThrows(CudaException.class, context::close);
    assertEquals("CUDA_ERROR_LAUNCH_FAILED", e.name());
    assertFalse(context.isOpen());
    assertTrue(context.accounting().isClear());
    context.close();
  }

  @Test
  void aLostDeviceIsSaidUntilItIsBack() {
    CudaContext context = CudaContext.open(CudaDevice.get(0));
    DeviceBuffer buffer = DeviceBuffer.allocate(context, 64);
    Emulation.loseDevice(DEVICE_UNAVAILABLE);
    CudaException e = assertThrows(CudaException.class, context::synchronize);
    assertEquals(DEVICE_UNAVAILABLE, e.code());
    buffer.close();
    context.close();
    assertFalse(context.isOpen());
    CudaException again = assertThrows(CudaException.class, Scenario::run);
    assertEquals(DEVICE_UNAVAILABLE, again.code());
    Emulation.loseDevice(0);
    Scenario.run();
  }

  @Test
  void aLaunchOfAWrongShapeSaysTheShape() {
    try (CudaContext context = CudaContext.open(CudaDevice.get(0));
        CudaStream stream = CudaStream.create(context);
        DeviceBuffer x = DeviceBuffer.allocate(context, 64);
        CudaModule module = CudaModule.load(context, "elementwise")) {
      CudaKernel add = module.kernel("add");
      add.set(0, x.address());
      add.set(1, x.address());
      add.set(2, 16L);
      CudaException e =
          assertThrows(CudaException.class, () -> add.launch(stream, 3, 0, 1, 256, 0));
      assertEquals(INVALID_VALUE, e.code());
      assertTrue(
          e.getMessage().contains("kernel add over 3 x 0 x 1 blocks of 256"), e.getMessage());
      assertThrows(CudaException.class, () -> add.launch(stream, 1, 1, 1, 512, 0));
      assertThrows(CudaException.class, () -> add.launch(stream, 1, 1, 1, 256, 64 << 10));
      assertFalse(context.isLost());
      add.launch(stream, 1, 1, 1, 256, 0);
      stream.synchronize();
    }
  }
}
