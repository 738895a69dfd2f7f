package dev.sidefade.cpu;

import dev.sidefade.kernels.AllKernelContracts;
import dev.sidefade.kernels.Device;

/** The contract of the kernels on the CPU with two threads. */
class CpuWithTwoThreadsTest implements AllKernelContracts {
  @Override
  public Device open() {
    return Device.cpu(2);
  }
}
