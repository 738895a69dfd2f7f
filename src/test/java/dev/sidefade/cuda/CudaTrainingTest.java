package dev.sidefade.cuda;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.sidefade.cuda.ops.GpuDevice;
import dev.sidefade.cuda.ops.StepCounts;
import dev.sidefade.kernels.Device;
import dev.sidefade.train.TrainingContract;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.extension.ExtendWith;

/**
 * Training with the CUDA sources on the emulated driver, whose streams run their work in another
 * order for every device of a test.
 */
@ExtendWith(Emulation.class)
class CudaTrainingTest implements TrainingContract {
  private int opened;

  @Override
  public Device open() {
    List<Emulation.Order> orders = List.of(Emulation.Order.values());
    Emulation.order(orders.get(opened++ % orders.size()));
    return Device.open("cuda", 0);
  }

  /** Most steps are replayed, and what was remembered fits every one of them. */
  @Override
  public void trained(Device device) {
    StepCounts counts = ((GpuDevice) device).stepCounts();
    assertTrue(counts.replayed() > counts.eager() + counts.recorded(), counts.toString());
    assertEquals(0, counts.mismatched(), counts.toString());
    assertEquals(Map.of(), counts.hindrances());
  }
}
