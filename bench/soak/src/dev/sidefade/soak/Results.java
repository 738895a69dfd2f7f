package dev.sidefade.soak;

import com.google.gson.GsonBuilder;
import com.google.gson.JsonObject;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.time.temporal.ChronoUnit;

/** Writes what a program measured, with the machine, the commit and the options of its JVM. */
final class Results {
  private Results() {}

  /** An object that begins with what all results have. */
  static JsonObject begin(String program, Options options) {
    JsonObject machine = new JsonObject();
    machine.addProperty("name", options.text("--machine"));
    machine.addProperty("logical_cpus", Runtime.getRuntime().availableProcessors());
    machine.addProperty(
        "system", System.getProperty("os.name") + " " + System.getProperty("os.version"));
    machine.addProperty("java", Runtime.version().toString());
    machine.addProperty("heap_limit_bytes", Runtime.getRuntime().maxMemory());
    machine.addProperty("load_average_at_start", loadAverage());
    JsonObject report = new JsonObject();
    report.addProperty("program", program);
    report.addProperty("commit", options.text("--commit"));
    report.addProperty("begun", Instant.now().truncatedTo(ChronoUnit.SECONDS).toString());
    report.add("machine", machine);
    return report;
  }

  static double loadAverage() {
    return ManagementFactory.getOperatingSystemMXBean().getSystemLoadAverage();
  }

  static void write(Path file, JsonObject report) throws IOException {
    Path folder = file.toAbsolutePath().getParent();
    Files.createDirectories(folder);
    Files.writeString(
        file,
        new GsonBuilder()
                .setPrettyPrinting()
                .serializeSpecialFloatingPointValues()
                .create()
                .toJson(report)
            + "\n");
  }
}
