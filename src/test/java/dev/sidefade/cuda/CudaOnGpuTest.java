package dev.sidefade.cuda;

import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.sidefade.kernels.AllKernelContracts;
import dev.sidefade.kernels.Device;
import dev.sidefade.kernels.HalfAttentionContract;
import dev.sidefade.kernels.HalfDistillationContract;
import dev.sidefade.kernels.HalfLadderContract;
import dev.sidefade.kernels.HalfTokenContract;
import dev.sidefade.kernels.LargeAdapterContract;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** All promises of a backend, kept by the compiled kernels on the GPU of this machine. */
@Tag("gpu")
@ExtendWith(RealDriver.class)
class CudaOnGpuTest
    implements AllKernelContracts,
        HalfAttentionContract,
        HalfDistillationContract,
        HalfLadderContract,
        HalfTokenContract,
        LargeAdapterContract {
  @Override
  public Device open() {
    return Device.open("cuda", 0);
  }

  @Test
  void isTakenFirst() {
    try (Device best = Device.best(1)) {
      assertTrue(best.name().startsWith("cuda"), best.name());
    }
  }
}
