package dev.sidefade.cpu;

import dev.sidefade.kernels.AllKernelContracts;
import dev.sidefade.kernels.Device;

/** The contract of the kernels on the CPU with three threads. */
class CpuWithThreeThreadsTest implements AllKernelContracts {
  @Override
  public Device open() {
    return Device.cpu(3);
  }
}
