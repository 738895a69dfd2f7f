package dev.sidefade.cuda.ops;

import dev.sidefade.cuda.CublasLibrary;
import dev.sidefade.cuda.CudaDevice;
import dev.sidefade.cuda.CudaLibrary;
import dev.sidefade.cuda.CudaModule;
import dev.sidefade.kernels.Device;
import dev.sidefade.kernels.DeviceProvider;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** The CUDA backend: there where a driver, a GPU, cuBLAS and the kernels of this build are. */
public final class CudaDeviceProvider implements DeviceProvider {
  /** Of the oldest GPU that kernels/build makes code for, times ten. */
  private static final int LEAST_CAPABILITY = 75;

  /** Sources of the operations, each an image of kernels of its own. */
  private static final List<String> FILES =
      List.of(
          "adamw",
          "adapter",
          "attention",
          "conv3x3",
          "elementwise",
          "feature_matching",
          "ladder",
          "layer_norm",
          "logit_distillation",
          "mask",
          "pool",
          "regression");

  @Override
  public String name() {
    return "cuda";
  }

  @Override
  public int rank() {
    return 10;
  }

  @Override
  public Optional<String> unavailable() {
    return CudaLibrary.unavailable()
        .or(CublasLibrary::unavailable)
        .or(CudaDeviceProvider::missingKernels)
        .or(() -> unsupported(CudaDevice.get(0)));
  }

  /** Why the kernels cannot run on a GPU, without making a context on it. */
  private static Optional<String> unsupported(CudaDevice device) {
    if (10 * device.major() + device.minor() < LEAST_CAPABILITY) {
      return Optional.of(
          device.describe() + ": the kernels need compute capability 7.5 (Turing) or newer");
    }
    return device.supportsMemoryPools()
        ? Optional.empty()
        : Optional.of(device.describe() + ": its driver offers no memory pools");
  }

  private static Optional<String> missingKernels() {
    List<String> missing = FILES.stream().filter(file -> !CudaModule.isPresent(file)).toList();
    return missing.isEmpty()
        ? Optional.empty()
        : Optional.of(
            "this build has no kernels of "
                + String.join(", ", missing)
                + ": build it where nvcc is on the PATH");
  }

  @Override
  public String describe() {
    List<CudaDevice> devices = CudaDevice.all();
    return String.join("; ", devices.stream().map(CudaDevice::describe).toList());
  }

  @Override
  public List<String> report() {
    List<String> lines = new ArrayList<>(CudaLibrary.report());
    lines.addAll(CublasLibrary.report());
    missingKernels().ifPresent(lines::add);
    return lines;
  }

  @Override
  public Device open(int threads) {
    return GpuDevice.open(CudaDevice.get(0));
  }
}
