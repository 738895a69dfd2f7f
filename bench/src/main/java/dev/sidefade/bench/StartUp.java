package dev.sidefade.bench;

import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * How long short commands take, from the start of the process to its end: {@code StartUp --root DIR
 * --out FILE.json [--machine NAME] [--rounds N]}. The commands take turns; those "on one core" run
 * under {@code taskset}. The time of the processors is counted as well: it says what a start costs
 * where something else runs too.
 */
public final class StartUp {
  /** Ticks per second of the times in /proc, the same on every Linux that Java runs on. */
  private static final double TICKS = 100;

  private static final Path OWN_TIMES = Path.of("/proc/self/stat");

  private final Map<String, String> options = new LinkedHashMap<>();
  private final PrintStream log = new PrintStream(System.err, true, StandardCharsets.UTF_8);

  private StartUp(String[] arguments) {
    options.put("--root", ".");
    options.put("--out", "startup.json");
    options.put("--machine", "unnamed");
    options.put("--rounds", "20");
    for (int i = 0; i < arguments.length; i += 2) {
      if (!options.containsKey(arguments[i]) || i + 1 == arguments.length) {
        throw new IllegalArgumentException(
            arguments[i] + " is no option with a value; there are " + options.keySet());
      }
      options.put(arguments[i], arguments[i + 1]);
    }
  }

  /** One run of one command; seconds. */
  private record Run(double wall, double processor) {}

  /** Measures everything. */
  public static void main(String[] arguments) throws IOException, InterruptedException {
    new StartUp(arguments).run();
  }

  private void run() throws IOException, InterruptedException {
    int rounds = Integer.parseInt(options.get("--rounds"));
    Map<String, List<String>> commands = commands();
    Map<String, List<Run>> runs = new LinkedHashMap<>();
    for (Map.Entry<String, List<String>> command : commands.entrySet()) {
      // files come into memory, and what the launcher prepares once is prepared
      start(command.getValue());
      runs.put(command.getKey(), new ArrayList<>());
    }
    for (int round = 0; round < rounds; round++) {
      for (Map.Entry<String, List<String>> command : commands.entrySet()) {
        runs.get(command.getKey()).add(start(command.getValue()));
      }
    }
    JsonArray results = new JsonArray();
    runs.forEach((name, each) -> results.add(result(name, each)));
    JsonObject report = new JsonObject();
    report.add("machine", Machine.describe(options.get("--machine")));
    report.add("results", results);
    Machine.write(report, Path.of(options.get("--out")));
  }

  private Map<String, List<String>> commands() throws IOException {
    Path root = Path.of(options.get("--root")).toAbsolutePath().normalize();
    String launcher = root.resolve("sidefade").toString();
    Map<String, List<String>> commands = new LinkedHashMap<>();
    commands.put("doctor", List.of(launcher, "doctor"));
    commands.put("doctor without target/start", plain(root, "doctor"));
    commands.put("version", List.of(launcher, "--version"));
    if (Files.isExecutable(Path.of("/usr/bin/taskset"))) {
      for (String name : List.copyOf(commands.keySet())) {
        List<String> pinned = new ArrayList<>(List.of("/usr/bin/taskset", "--cpu-list", "0"));
        pinned.addAll(commands.get(name));
        commands.put(name + ", one core", pinned);
      }
    }
    return commands;
  }

  /** What the launcher runs, less what it prepared. */
  private static List<String> plain(Path root, String command) throws IOException {
    Path target = root.resolve("target");
    try (var files = Files.list(target)) {
      Path jar =
          files
              .filter(file ->
                  file.getFileName().toString().matches("sidefade-[0-9.]+(-SNAPSHOT)?\\.jar"))
              .findFirst()
              .orElseThrow(() -> new IllegalStateException("there is no jar in " + target));
      return List.of(
          Path.of(System.getProperty("java.home"), "bin", "java").toString(),
          "--enable-native-access=ALL-UNNAMED",
          "--add-modules",
          "jdk.incubator.vector",
          "-cp",
          jar + ":" + target.resolve("lib") + "/*",
          "dev.sidefade.cli.Main",
          command);
    }
  }

  private static Run start(List<String> command) throws IOException, InterruptedException {
    double processor = processorTimeOfChildren();
    long begin = System.nanoTime();
    Process process =
        new ProcessBuilder(command)
            .redirectOutput(ProcessBuilder.Redirect.DISCARD)
            .redirectError(ProcessBuilder.Redirect.DISCARD)
            .start();
    int code = process.waitFor();
    double wall = (System.nanoTime() - begin) / 1e9;
    if (code != 0) {
      throw new IllegalStateException(command + " ended with exit code " + code);
    }
    return new Run(wall, processorTimeOfChildren() - processor);
  }

  /** Seconds of children that have ended, in the system's part too: fields 16 and 17. */
  private static double processorTimeOfChildren() throws IOException {
    String times = Files.readString(OWN_TIMES);
    // the name in front may hold blanks
    List<String> fields =
        Arrays.asList(times.substring(times.lastIndexOf(')') + 2).strip().split(" ", -1));
    return (Long.parseLong(fields.get(13)) + Long.parseLong(fields.get(14))) / TICKS;
  }

  private JsonObject result(String name, List<Run> runs) {
    double[] wall = runs.stream().mapToDouble(Run::wall).sorted().toArray();
    double[] processor = runs.stream().mapToDouble(Run::processor).sorted().toArray();
    JsonObject result = new JsonObject();
    result.addProperty("command", name);
    result.addProperty("runs", runs.size());
    result.addProperty("wall_ms_fastest", Math.round(1e3 * wall[0]));
    result.addProperty("wall_ms_median", Math.round(1e3 * wall[wall.length / 2]));
    result.addProperty("wall_ms_slowest", Math.round(1e3 * wall[wall.length - 1]));
    result.addProperty("processor_ms_median", Math.round(1e3 * processor[processor.length / 2]));
    log.println(result);
    return result;
  }
}
