package dev.sidefade.cuda;

import java.util.List;
import java.util.Optional;

/**
 * The driver library of this process: found, loaded and asked for its version once, before any
 * other class of this package touches it. A machine without an NVIDIA driver or GPU is an ordinary
 * outcome with a reason, never an error.
 */
public final class CudaLibrary {
  /** Names a driver library to load instead of the system's {@code libcuda.so.1}. */
  public static final String DRIVER_PROPERTY = "dev.sidefade.cuda.driver";

  /** The oldest driver that takes the kernels, in the driver's own count: CUDA 13.0. */
  public static final int NEEDED_DRIVER = 13_000;

  private CudaLibrary() {}

  /** {@return why CUDA cannot be used in this process; empty if it can} */
  public static Optional<String> unavailable() {
    return Found.PROBE.unavailable();
  }

  /** {@return what was looked for and found, line by line, for people} */
  public static List<String> report() {
    return Found.PROBE.lines();
  }

  /** {@return version of the driver in its own count (13000 for CUDA 13.0); 0 if there is none} */
  public static int driverVersion() {
    return Found.PROBE.driverVersion();
  }

  /**
   * Comes back if CUDA can be used.
   *
   * @throws CudaUnavailableException with the reason, if not
   */
  public static void require() {
    Optional<String> reason = unavailable();
    if (reason.isPresent()) {
      throw new CudaUnavailableException(reason.get());
    }
  }

  /** The driver's count as people write it: 13000 is 13.0. */
  static String versionText(int version) {
    return version / 1000 + "." + version % 1000 / 10;
  }

  /** Looked for when first asked: a process that never wants CUDA never loads it. */
  private static final class Found {
    static final DriverProbe PROBE =
        DriverProbe.run(System.getProperty("os.name"), System.getProperty(DRIVER_PROPERTY));
  }
}
