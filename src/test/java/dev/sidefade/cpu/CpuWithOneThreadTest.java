package dev.sidefade.cpu;

import dev.sidefade.kernels.AllKernelContracts;
import dev.sidefade.kernels.Device;
import java.util.List;
import java.util.function.Supplier;

/** The contract of the kernels on the CPU with one thread. */
class CpuWithOneThreadTest implements AllKernelContracts {
  @Override
  public Device open() {
    return Device.cpu(1);
  }

  @Override
  public List<Supplier<Device>> alternatives() {
    return List.of(() -> Device.cpu(1), () -> Device.cpu(2), () -> Device.cpu(3));
  }
}
