package dev.sidefade.cli;

import ai.onnxruntime.OrtEnvironment;
import dev.sidefade.backbone.TapMemory;
import dev.sidefade.kernels.Device;
import dev.sidefade.kernels.DeviceProvider;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * Looks at everything that Sidefade needs or would like to have. Nothing here fails: what breaks is
 * a finding.
 */
final class Checkup {
  private static final double GIB = 1024.0 * 1024 * 1024;

  private Checkup() {}

  /** All findings, the most general first. */
  static List<Finding> all() {
    List<Finding> findings = new ArrayList<>();
    findings.add(guarded("sidefade", () -> Finding.found("sidefade", VersionText.text())));
    findings.add(guarded("java", Checkup::java));
    findings.add(guarded("system", Checkup::system));
    findings.add(guarded("processors", Checkup::processors));
    findings.add(guarded("memory", Checkup::memory));
    findings.add(guarded("onnx-runtime", Checkup::onnxRuntime));
    findings.add(guarded("native-library", Checkup::nativeLibrary));
    Optional<String> disabled = Optional.ofNullable(System.getenv("ORT_DISABLE_TELEMETRY"));
    findings.add(guarded("telemetry", () -> telemetry(disabled)));
    findings.add(guarded("native-access", Checkup::nativeAccess));
    findings.add(guarded("vector-api", Checkup::vectorApi));
    findings.addAll(devices());
    findings.add(guarded("taps", Checkup::taps));
    return findings;
  }

  /**
   * A look that fails becomes a finding that says how; this includes libraries that cannot be
   * linked.
   */
  static Finding guarded(String topic, Supplier<Finding> look) {
    try {
      return look.get();
    } catch (RuntimeException | LinkageError e) {
      Throwable cause =
          e instanceof ExceptionInInitializerError && e.getCause() != null ? e.getCause() : e;
      return Finding.missing(
          topic,
          cause.getClass().getSimpleName() + ": " + cause.getMessage(),
          "sidefade needs this; the message above says what is wrong");
    }
  }

  private static Finding java() {
    return Finding.found(
        "java",
        Runtime.version()
            + ", "
            + System.getProperty("java.vendor")
            + ", "
            + System.getProperty("java.home"));
  }

  private static Finding system() {
    return Finding.found(
        "system",
        System.getProperty("os.name")
            + " "
            + System.getProperty("os.version")
            + ", "
            + System.getProperty("os.arch"));
  }

  private static Finding processors() {
    return Finding.found("processors", String.valueOf(Runtime.getRuntime().availableProcessors()));
  }

  private static Finding memory() {
    String heap = gibibytes(Runtime.getRuntime().maxMemory()) + " for Java objects";
    String machine =
        ManagementFactory.getOperatingSystemMXBean()
                instanceof com.sun.management.OperatingSystemMXBean system
            ? gibibytes(system.getTotalMemorySize())
                + " in all, "
                + gibibytes(system.getFreeMemorySize())
                + " free, "
            : "";
    return Finding.found("memory", machine + heap);
  }

  private static Finding onnxRuntime() {
    OrtEnvironment environment = OnnxRuntimeLog.errorsOnly();
    String providers =
        OrtEnvironment.getAvailableProviders().stream()
            .map(provider -> provider.name().toLowerCase(Locale.ROOT))
            .collect(Collectors.joining(", "));
    return Finding.found("onnx-runtime", environment.getVersion() + ", providers: " + providers);
  }

  private static Finding nativeLibrary() {
    String given = System.getProperty("onnxruntime.native.path");
    if (given != null) {
      return Finding.found("native-library", "ONNX Runtime's are loaded from " + given);
    }
    Path temporary = Path.of(System.getProperty("java.io.tmpdir"));
    return Files.isWritable(temporary)
        ? Finding.found(
            "native-library",
            "ONNX Runtime's are unpacked from its jar into "
                + temporary
                + " at every start"
                + " (-Donnxruntime.native.path=DIR avoids that)")
        : Finding.missing(
            "native-library",
            "ONNX Runtime's cannot be unpacked from its jar: " + temporary + " is not writable",
            "choose another folder with -Djava.io.tmpdir=DIR");
  }

  /**
   * What ONNX Runtime tells its makers.
   *
   * @param disabled the variable that it reads before anything else
   */
  static Finding telemetry(Optional<String> disabled) {
    return switch (disabled.orElse("")) {
      case "1" -> Finding.found("telemetry", "ONNX Runtime's is off");
      case "0" -> Finding.found("telemetry", "ONNX Runtime's is on: ORT_DISABLE_TELEMETRY is 0");
      default ->
          Finding.missing(
              "telemetry",
              "ONNX Runtime tells its makers that it was started, and nothing after that",
              "set ORT_DISABLE_TELEMETRY=1 before java starts, and it tells nothing");
    };
  }

  /**
   * The modules that load native libraries: ONNX Runtime's for its own, ours for memory at raw
   * addresses.
   */
  private static Finding nativeAccess() {
    List<Module> closed =
        Stream.of(OrtEnvironment.class.getModule(), Checkup.class.getModule())
            .distinct()
            .filter(module -> !module.isNativeAccessEnabled())
            .toList();
    return closed.isEmpty()
        ? Finding.found("native-access", "enabled")
        : Finding.missing(
            "native-access",
            "not enabled: Java warns when native libraries are loaded",
            "add --enable-native-access="
                + closed.stream()
                    .map(module -> module.isNamed() ? module.getName() : "ALL-UNNAMED")
                    .collect(Collectors.joining(","))
                + " to the flags of java");
  }

  private static Finding vectorApi() {
    return ModuleLayer.boot().findModule("jdk.incubator.vector").isPresent()
        ? Finding.found("vector-api", "the module jdk.incubator.vector is readable")
        : Finding.missing(
            "vector-api",
            "the module jdk.incubator.vector is not there: plain loops are used, which are slower",
            "add --add-modules jdk.incubator.vector to the flags of java");
  }

  private static List<Finding> devices() {
    List<Finding> findings = new ArrayList<>();
    List<DeviceProvider> providers;
    try {
      providers = Device.providers();
    } catch (RuntimeException | java.util.ServiceConfigurationError | LinkageError e) {
      return List.of(
          Finding.missing(
              "devices", String.valueOf(e.getMessage()), "this build of sidefade is incomplete"));
    }
    for (DeviceProvider provider : providers) {
      findings.add(guarded("device-" + provider.name(), () -> device(provider)));
      findings.addAll(report(provider));
    }
    if (providers.stream().noneMatch(provider -> provider.name().equals("cuda"))) {
      findings.add(
          Finding.missing(
              "device-cuda",
              "not part of this build, which has: "
                  + String.join(", ", providers.stream().map(DeviceProvider::name).toList()),
              "train on the CPU; a GPU is not used even where there is one"));
    }
    return findings;
  }

  private static Finding device(DeviceProvider provider) {
    String topic = "device-" + provider.name();
    Optional<String> why = provider.unavailable();
    return why.isPresent()
        ? Finding.missing(topic, "not used: " + why.get(), "train on another device")
        : Finding.found(topic, provider.describe());
  }

  /** What a backend that is used found, one line each; of another the reason says it. */
  private static List<Finding> report(DeviceProvider provider) {
    try {
      return provider.unavailable().isPresent()
          ? List.of()
          : provider.report().stream().map(line -> Finding.found(provider.name(), line)).toList();
    } catch (RuntimeException | LinkageError e) {
      // the finding about the device says how
      return List.of();
    }
  }

  /** Which way the taps of a frozen backbone that runs in every step get to the side network. */
  private static Finding taps() {
    boolean gpu =
        Device.providers().stream()
            .anyMatch(p -> p.name().equals("cuda") && p.unavailable().isEmpty());
    if (!gpu) {
      return Finding.found("taps", "in host memory, where the side network is trained");
    }
    Optional<String> reason = TapMemory.cudaUnavailable();
    return reason.isPresent()
        ? Finding.missing(
            "taps",
            "go through host memory: " + reason.get(),
            "training works; it is the backbone that runs on the CPU")
        : Finding.found("taps", "of a frozen backbone that runs in every step stay on the GPU");
  }

  private static String gibibytes(long bytes) {
    return String.format(Locale.ROOT, "%.1f GiB", bytes / GIB);
  }
}
