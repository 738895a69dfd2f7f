package dev.sidefade.cpu;

import dev.sidefade.kernels.AllKernelContracts;
import dev.sidefade.kernels.Device;

/**
 * The contract of the kernels on plain loops: what users get who do not add the Vector API's
 * module.
 */
class CpuPlainLoopsTest implements AllKernelContracts {
  @Override
  public Device open() {
    return new CpuDevice(2, new PlainRows());
  }
}
