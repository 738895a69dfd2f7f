package dev.sidefade.bench;

import ai.onnxruntime.OrtEnvironment;
import com.google.gson.GsonBuilder;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import com.sun.management.OperatingSystemMXBean;
import dev.sidefade.kernels.Device;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.LocalDate;
import java.time.ZoneOffset;

/**
 * What results were measured on: {@code Machine FILE.json NAME} puts JMH's list under {@code
 * results}, beside the machine.
 */
public final class Machine {
  private static final Path PROCESSOR = Path.of("/proc/cpuinfo");

  private Machine() {}

  /** Wraps a file. */
  public static void main(String[] arguments) throws IOException {
    Path file = Path.of(arguments[0]);
    JsonElement results = JsonParser.parseString(Files.readString(file));
    JsonObject report = new JsonObject();
    report.add("machine", describe(arguments[1]));
    report.add("results", results);
    write(report, file);
  }

  static void write(JsonObject report, Path file) throws IOException {
    Files.writeString(
        file,
        new GsonBuilder().setPrettyPrinting().create().toJson(report) + System.lineSeparator());
  }

  /**
   * Names, sizes and versions.
   *
   * @param name of the machine, for people
   */
  static JsonObject describe(String name) throws IOException {
    OperatingSystemMXBean system = ManagementFactory.getPlatformMXBean(OperatingSystemMXBean.class);
    JsonObject machine = new JsonObject();
    machine.addProperty("name", name);
    machine.addProperty("processor", processor());
    machine.addProperty("logical_cpus", Runtime.getRuntime().availableProcessors());
    machine.addProperty("memory_bytes", system.getTotalMemorySize());
    machine.addProperty(
        "system", System.getProperty("os.name") + " " + System.getProperty("os.version"));
    machine.addProperty("java", Runtime.version().toString());
    machine.addProperty("onnxruntime", OrtEnvironment.getEnvironment().getVersion());
    machine.addProperty("devices", String.join("; ", Device.availability()));
    // the scripts know it
    machine.addProperty("commit", System.getenv("SIDEFADE_COMMIT"));
    machine.addProperty("date", LocalDate.now(ZoneOffset.UTC).toString());
    machine.addProperty("load_average", system.getSystemLoadAverage());
    return machine;
  }

  private static String processor() throws IOException {
    if (!Files.isReadable(PROCESSOR)) {
      return System.getProperty("os.arch");
    }
    return Files.readAllLines(PROCESSOR).stream()
        .filter(line -> line.startsWith("model name"))
        .map(line -> line.substring(line.indexOf(':') + 1).strip())
        .findFirst()
        .orElse(System.getProperty("os.arch"));
  }
}
