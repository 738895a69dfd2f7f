package dev.sidefade.bench;

import com.google.gson.GsonBuilder;
import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.io.IOException;
import java.io.InputStream;
import java.io.PrintStream;
import java.lang.management.ManagementFactory;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * What gradients inside a backbone cost in time and memory, by depth and by what is kept: {@code
 * GradientMemoryTable --out FILE.json [--threads N] [--passes N] [--machine NAME]}. Every case runs
 * in a process of its own, once in each pass over all of them. Writes every measurement as JSON;
 * {@code bench/tables} makes tables of their least times and median memory.
 */
public final class GradientMemoryTable {
  private final Map<String, String> options = new LinkedHashMap<>();
  private final PrintStream log = new PrintStream(System.err, true, StandardCharsets.UTF_8);

  private GradientMemoryTable(String[] arguments) {
    options.put("--threads", "1");
    options.put("--passes", "3");
    options.put("--machine", "unnamed");
    options.put("--out", "gradients.json");
    for (int i = 0; i < arguments.length; i += 2) {
      if (!options.containsKey(arguments[i]) || i + 1 == arguments.length) {
        throw new IllegalArgumentException(
            arguments[i] + " is no option with a value; there are " + options.keySet());
      }
      options.put(arguments[i], arguments[i + 1]);
    }
  }

  /** Measures everything; minutes. */
  public static void main(String[] arguments) throws IOException, InterruptedException {
    new GradientMemoryTable(arguments).run();
  }

  private void run() throws IOException, InterruptedException {
    Path folder = Files.createTempDirectory("sidefade-gradients");
    try {
      Map<String, Path> models = new LinkedHashMap<>();
      for (String model : GradientCase.models()) {
        models.put(model, write(model, folder));
      }
      write(measure(models));
    } finally {
      Shipped.delete(folder);
    }
  }

  private JsonArray measure(Map<String, Path> models) throws IOException, InterruptedException {
    JsonArray results = new JsonArray();
    int passes = Integer.parseInt(options.get("--passes"));
    for (int pass = 0; pass < passes; pass++) {
      for (Map.Entry<String, Path> model : models.entrySet()) {
        for (GradientCase next : GradientCase.of(model.getKey())) {
          JsonObject result = new JsonObject();
          result.addProperty("model", next.model());
          result.addProperty("depth", next.depth());
          result.addProperty("batch", GradientCase.BATCH);
          result.addProperty("tuning", next.tuning());
          result.addProperty("memory", next.memory());
          result.addProperty("pass", pass);
          result.addProperty("load_average", load());
          JsonObject measured = child(next, model.getValue());
          measured.entrySet().forEach(entry -> result.add(entry.getKey(), entry.getValue()));
          log.println(result);
          results.add(result);
        }
      }
    }
    return results;
  }

  /** The heap is resident from the start, so that what grows is not Java's. */
  private JsonObject child(GradientCase measured, Path file)
      throws IOException, InterruptedException {
    List<String> command =
        new ArrayList<>(
            List.of(Path.of(System.getProperty("java.home"), "bin", "java").toString()));
    command.addAll(List.of("-Xms256m", "-Xmx256m", "-XX:+AlwaysPreTouch", "-XX:+UseSerialGC"));
    command.add("--enable-native-access=ALL-UNNAMED");
    command.addAll(List.of("-cp", System.getProperty("java.class.path")));
    command.add(GradientRun.class.getName());
    command.addAll(
        List.of(file.toString(), measured.model(), measured.tuning(), measured.memory()));
    command.add(options.get("--threads"));
    Process process =
        new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.INHERIT).start();
    try (InputStream out = process.getInputStream()) {
      String text = new String(out.readAllBytes(), StandardCharsets.UTF_8);
      if (process.waitFor() != 0) {
        throw new IllegalStateException("the case " + measured + " failed: see above");
      }
      return JsonParser.parseString(text).getAsJsonObject();
    }
  }

  /** The shipped model with the file beside it that names its taps, or a synthetic one. */
  private static Path write(String model, Path folder) throws IOException {
    Path file = folder.resolve(model + ".onnx");
    if (model.equals(GradientCase.SHIPPED)) {
      Shipped.copy(Shipped.BACKBONE, file);
      Shipped.copy("vit28p7d128.json", folder.resolve(model + ".json"));
    } else {
      SyntheticVit.ofDepth(new GradientCase(model, "", "").depth()).write(file);
    }
    return file;
  }

  private void write(JsonArray results) throws IOException {
    JsonObject report = new JsonObject();
    JsonObject machine = Machine.describe(options.get("--machine"));
    machine.addProperty("threads", Integer.parseInt(options.get("--threads")));
    report.add("machine", machine);
    report.add("results", results);
    Path json = Path.of(options.get("--out"));
    Files.writeString(
        json,
        new GsonBuilder().setPrettyPrinting().create().toJson(report) + System.lineSeparator());
  }

  private static double load() {
    return ManagementFactory.getOperatingSystemMXBean().getSystemLoadAverage();
  }
}
