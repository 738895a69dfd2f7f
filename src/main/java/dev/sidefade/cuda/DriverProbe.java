package dev.sidefade.cuda;

import static java.lang.foreign.ValueLayout.JAVA_INT;

import dev.sidefade.cuda.ffi.CudaDriver;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * What looking for the driver found. The generated class that calls the driver fails in its static
 * initialiser if there is none, so it is reached only after the library is loaded and known to be
 * one.
 */
record DriverProbe(Optional<String> unavailable, List<String> lines, int driverVersion) {
  /** The name that the generated class asks the system for. */
  private static final String NAME = "libcuda.so.1";

  private static final List<String> SIGNS =
      List.of("cuInit", "cuDriverGetVersion", "cuDeviceGetCount", "cuGetErrorName");

  /**
   * Looks for the driver.
   *
   * @param system the operating system's name
   * @param file a library to load instead of the system's, or null
   */
  static DriverProbe run(String system, String file) {
    List<String> lines = new ArrayList<>();
    if (!system.startsWith("Linux")) {
      return none(lines, "CUDA is supported on Linux only, this is " + system);
    }
    try {
      return load(file, lines);
    } catch (IllegalCallerException e) {
      return none(
          lines,
          "Java may not call native code: start it with --enable-native-access=ALL-UNNAMED (or"
              + " dev.sidefade where that is a module)");
    }
  }

  private static DriverProbe load(String file, List<String> lines) {
    DynamicLoader loader = new DynamicLoader();
    boolean named = file != null && !file.isBlank();
    DynamicLoader.Opened library = loader.open(named ? file : NAME);
    if (library.failed()) {
      return none(lines, notLoaded(named, library.reason()));
    }
    for (String sign : SIGNS) {
      if (!loader.has(library, sign)) {
        return none(lines, (named ? file : NAME) + " is no CUDA driver: it lacks " + sign);
      }
    }
    // the generated class asks for the library by name, and must get the one that was named
    if (loader.loaded(NAME).handle().address() != library.handle().address()) {
      return none(lines, file + " does not call itself " + NAME + ": name another file");
    }
    loader.fileOf(library, "cuInit").ifPresent(found -> lines.add("driver library " + found));
    return ask(lines);
  }

  private static String notLoaded(boolean named, String reason) {
    return named
        ? "the driver named by "
            + CudaLibrary.DRIVER_PROPERTY
            + " cannot be loaded ("
            + reason
            + ")"
        : "no NVIDIA driver was found (" + reason + ")";
  }

  /** The library is loaded: its version, then its devices. */
  private static DriverProbe ask(List<String> lines) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment out = arena.allocate(JAVA_INT);
      int code = CudaDriver.cuDriverGetVersion(out);
      int version = code == 0 ? out.get(JAVA_INT, 0) : 0;
      lines.add("driver for CUDA " + CudaLibrary.versionText(version));
      if (version < CudaLibrary.NEEDED_DRIVER) {
        return new DriverProbe(Optional.of(tooOld(version)), List.copyOf(lines), version);
      }
      code = CudaDriver.cuInit(0);
      if (code != CudaDriver.CUDA_SUCCESS()) {
        return failed(lines, version, "the driver does not start", code);
      }
      code = CudaDriver.cuDeviceGetCount(out);
      if (code != CudaDriver.CUDA_SUCCESS()) {
        return failed(lines, version, "the driver does not list its devices", code);
      }
      int count = out.get(JAVA_INT, 0);
      lines.add(count + (count == 1 ? " device" : " devices"));
      Optional<String> none =
          count > 0 ? Optional.empty() : Optional.of("the driver has no device to offer");
      return new DriverProbe(none, List.copyOf(lines), version);
    }
  }

  private static String tooOld(int version) {
    return "the installed driver is for CUDA "
        + CudaLibrary.versionText(version)
        + ", the kernels need one for CUDA "
        + CudaLibrary.versionText(CudaLibrary.NEEDED_DRIVER)
        + " or newer: update the NVIDIA driver to release 580 or newer";
  }

  private static DriverProbe failed(List<String> lines, int version, String what, int code) {
    String reason =
        what + ": " + DriverErrors.name(code) + " (" + code + "), " + DriverErrors.text(code);
    lines.add(reason);
    return new DriverProbe(Optional.of(reason), List.copyOf(lines), version);
  }

  private static DriverProbe none(List<String> lines, String reason) {
    lines.add(reason);
    return new DriverProbe(Optional.of(reason), List.copyOf(lines), 0);
  }
}
