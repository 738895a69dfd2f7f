package dev.sidefade;

import dev.sidefade.kernels.Device;
import dev.sidefade.ort.OneEnvironment;
import dev.sidefade.report.RunReportBuilder;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** Where a run took place. */
final class Environment {
  private static final Path STATUS = Path.of("/proc/self/status");

  private Environment() {}

  static void describe(RunReportBuilder report, Device device) {
    report.environment("sidefade", Version.text());
    report.environment("java", Runtime.version().toString());
    report.environment("onnxruntime", OneEnvironment.get().getVersion());
    report.environment(
        "system", System.getProperty("os.name") + " " + System.getProperty("os.arch"));
    report.environment("processors", Integer.toString(Runtime.getRuntime().availableProcessors()));
    report.environment("device", device.name());
    long peak = residentPeak();
    if (peak > 0) {
      report.memoryBytes("process_peak", peak);
    }
  }

  /** Largest resident size of this process in bytes; 0 where the system does not tell. */
  private static long residentPeak() {
    try {
      for (String line : Files.readAllLines(STATUS)) {
        if (line.startsWith("VmHWM:")) {
          return Long.parseLong(line.replaceAll("\\D", "")) * 1024;
        }
      }
    } catch (IOException e) {
      return 0;
    }
    return 0;
  }
}
