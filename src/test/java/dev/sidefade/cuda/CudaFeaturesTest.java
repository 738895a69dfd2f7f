package dev.sidefade.cuda;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.sidefade.backbone.TapMemory;
import dev.sidefade.cuda.ops.GpuDevice;
import dev.sidefade.kernels.CudaQueue;
import dev.sidefade.kernels.Device;
import dev.sidefade.tensor.Tensor;
import dev.sidefade.train.DeviceFeaturesContract;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** Features that a backbone leaves on the device, on the emulated driver. */
@ExtendWith(Emulation.class)
class CudaFeaturesTest implements DeviceFeaturesContract {
  private int opened;

  @Override
  public Device open() {
    List<Emulation.Order> orders = List.of(Emulation.Order.values());
    Emulation.order(orders.get(opened++ % orders.size()));
    return Device.open("cuda", 0);
  }

  @Test
  void theQueueIsTheOneOfTheOperations() {
    try (GpuDevice device = (GpuDevice) Device.open("cuda", 0)) {
      CudaQueue queue = device.queue().orElseThrow();
      assertEquals(0, queue.ordinal());
      assertNotEquals(0, queue.stream());
      assertEquals(queue, device.queue().orElseThrow());
      assertTrue(Device.cpu(1).queue().isEmpty());
      // the same reasons as without a device: it is ONNX Runtime that is asked
      assertEquals(TapMemory.cudaUnavailable(), new TapMemory.Cuda(queue).unavailable());
    }
  }

  /** Another library's work must not come before what a replayed step has held back. */
  @Test
  void whatAStepHeldBackIsEnqueuedBeforeTheQueueIsHandedOut() {
    float[] values = new float[64];
    for (int i = 0; i < values.length; i++) {
      values[i] = i - 7.5f;
    }
    try (GpuDevice device = (GpuDevice) Device.open("cuda", 0);
        Tensor x = device.allocate(values.length);
        Tensor y = device.allocate(values.length)) {
      x.setFloats(values);
      long stream = device.queue().orElseThrow().stream();
      for (int step = 0; step < 5; step++) {
        device.step("copy", () -> device.copy(x, y));
        assertArrayEquals(values, y.toFloats());
      }
      assertEquals(3, device.stepCounts().replayed());
      y.zero();
      device.step(
          "copy",
          () -> {
            device.copy(x, y);
            assertArrayEquals(new float[values.length], seenBehind(stream, y), "held back");
            CudaQueue queue = device.queue().orElseThrow();
            assertArrayEquals(values, seenBehind(queue.stream(), y));
          });
      assertArrayEquals(values, y.toFloats());
    }
  }

  /** What another library would read there if it enqueued a copy now. */
  private static float[] seenBehind(long stream, Tensor tensor) {
    try (CudaContext own = CudaContext.open(CudaDevice.get(0));
        Arena arena = Arena.ofConfined()) {
      MemorySegment host = arena.allocate(tensor.bytes(), 64);
      CudaStream.wrap(own, stream).download(tensor.address(), host);
      return host.toArray(ValueLayout.JAVA_FLOAT);
    }
  }
}
