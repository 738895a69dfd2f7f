package dev.sidefade.cuda;

import dev.sidefade.kernels.Device;
import dev.sidefade.train.TrainingContract;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.extension.ExtendWith;

/** Training with the compiled kernels on the GPU of this machine. */
@Tag("gpu")
@ExtendWith(RealDriver.class)
class CudaTrainingOnGpuTest implements TrainingContract {
  @Override
  public Device open() {
    return Device.open("cuda", 0);
  }
}
