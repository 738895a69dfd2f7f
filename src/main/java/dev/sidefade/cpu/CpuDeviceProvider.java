package dev.sidefade.cpu;

import dev.sidefade.kernels.Device;
import dev.sidefade.kernels.DeviceProvider;
import java.util.Optional;

/** The CPU backend: always there. */
public final class CpuDeviceProvider implements DeviceProvider {
  @Override
  public String name() {
    return "cpu";
  }

  @Override
  public int rank() {
    return 0;
  }

  @Override
  public Optional<String> unavailable() {
    return Optional.empty();
  }

  @Override
  public String describe() {
    return Runtime.getRuntime().availableProcessors()
        + " processors, "
        + RowMath.chosen().describe()
        + ", matrix products by ONNX Runtime";
  }

  @Override
  public Device open(int threads) {
    return new CpuDevice(threads, RowMath.best());
  }
}
