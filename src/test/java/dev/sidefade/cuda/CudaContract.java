package dev.sidefade.cuda;

import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.sidefade.kernels.AllKernelContracts;
import dev.sidefade.kernels.Device;
import dev.sidefade.kernels.HalfAttentionContract;
import dev.sidefade.kernels.HalfDistillationContract;
import dev.sidefade.kernels.HalfLadderContract;
import dev.sidefade.kernels.HalfTokenContract;
import dev.sidefade.kernels.LargeAdapterContract;
import org.junit.jupiter.api.Test;

/** All promises of a backend, whichever driver runs the kernels. */
interface CudaContract
    extends AllKernelContracts,
        HalfAttentionContract,
        HalfDistillationContract,
        HalfLadderContract,
        HalfTokenContract,
        LargeAdapterContract {
  @Override
  default Device open() {
    return Device.open("cuda", 0);
  }

  @Test
  default void isTakenFirst() {
    try (Device best = Device.best(1)) {
      assertTrue(best.name().startsWith("cuda"), best.name());
    }
  }
}
