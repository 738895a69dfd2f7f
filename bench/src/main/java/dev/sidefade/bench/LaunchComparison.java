package dev.sidefade.bench;

import com.google.gson.GsonBuilder;
import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import com.sun.management.ThreadMXBean;
import dev.sidefade.cuda.CudaLibrary;
import dev.sidefade.cuda.CudaModule;
import java.io.IOException;
import java.io.InputStream;
import java.io.PrintStream;
import java.lang.management.ManagementFactory;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.DoubleSummaryStatistics;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.openjdk.jmh.results.IterationResult;
import org.openjdk.jmh.results.RunResult;
import org.openjdk.jmh.runner.Runner;
import org.openjdk.jmh.runner.RunnerException;
import org.openjdk.jmh.runner.options.OptionsBuilder;
import org.openjdk.jmh.runner.options.VerboseMode;

/**
 * What a launch costs from Java and from C, in turns: {@code LaunchComparison --peer PROGRAM --out
 * FILE.json [--rounds N] [--machine NAME]}. Both launch over the emulated driver, which the system
 * properties of the CUDA layer name. Where a process lies in memory and what the other half of its
 * core does changes such times by half, so there are many short processes. Writes every round as
 * JSON and prints the least of all, and the median of what was the least in each round.
 */
public final class LaunchComparison {
  /** What is measured on both sides, by the C program's word, and the benchmark's method. */
  private static final Map<String, String> SHARED =
      Map.of("set_and_launch", "setAndLaunch", "launch", "launch");

  private static final int CHUNKS = 200;
  private static final int COUNTED = 1_000_000;

  private final Map<String, String> options = new LinkedHashMap<>();
  private final PrintStream out = new PrintStream(System.out, true, StandardCharsets.UTF_8);

  private LaunchComparison(String[] arguments) {
    options.put("--peer", "");
    options.put("--out", "launch.json");
    options.put("--rounds", "12");
    options.put("--machine", "unnamed");
    for (int i = 0; i < arguments.length; i += 2) {
      if (!options.containsKey(arguments[i]) || i + 1 == arguments.length) {
        throw new IllegalArgumentException(
            arguments[i] + " is no option with a value; there are " + options.keySet());
      }
      options.put(arguments[i], arguments[i + 1]);
    }
  }

  /** Measures everything; about eight seconds a round. */
  public static void main(String[] arguments)
      throws IOException, InterruptedException, RunnerException {
    new LaunchComparison(arguments).run();
  }

  private void run() throws IOException, InterruptedException, RunnerException {
    JsonArray rounds = new JsonArray();
    Map<String, List<Double>> least = new LinkedHashMap<>();
    int count = Integer.parseInt(options.get("--rounds"));
    for (int i = 0; i < count; i++) {
      JsonObject round = new JsonObject();
      round.addProperty(
          "load_average", ManagementFactory.getOperatingSystemMXBean().getSystemLoadAverage());
      Map<String, List<Double>> times = new LinkedHashMap<>(peer());
      times.putAll(java());
      times.forEach((name, values) -> {
        DoubleSummaryStatistics all = values.stream().mapToDouble(v -> v).summaryStatistics();
        least.computeIfAbsent(name, n -> new ArrayList<>()).add(all.getMin());
        round.addProperty(name + "_least_ns", all.getMin());
        round.addProperty(name + "_median_ns", median(values));
      });
      out.println(round);
      rounds.add(round);
    }
    write(rounds, summary(least));
  }

  /** Nanoseconds per launch in C, chunk by chunk. */
  private Map<String, List<Double>> peer() throws IOException, InterruptedException {
    Process process =
        new ProcessBuilder(
                options.get("--peer"),
                System.getProperty(CudaLibrary.DRIVER_PROPERTY),
                System.getProperty(CudaModule.KERNELS_PROPERTY),
                Integer.toString(CHUNKS))
            .redirectError(ProcessBuilder.Redirect.INHERIT)
            .start();
    Map<String, List<Double>> times = new LinkedHashMap<>();
    try (InputStream printed = process.getInputStream()) {
      String text = new String(printed.readAllBytes(), StandardCharsets.UTF_8);
      for (String line : text.lines().toList()) {
        String[] words = line.split(" ", 2);
        times
            .computeIfAbsent("c_" + words[0], name -> new ArrayList<>())
            .add(Double.valueOf(words[1]));
      }
    }
    if (process.waitFor() != 0) {
      throw new IllegalStateException("the C program failed: see above");
    }
    return times;
  }

  /** Nanoseconds per launch in Java, iteration by iteration, in a process of JMH's. */
  private static Map<String, List<Double>> java() throws RunnerException {
    Collection<RunResult> results =
        new Runner(
                new OptionsBuilder()
                    .include(LaunchBenchmark.class.getName() + "\\.")
                    .warmupIterations(2 * CHUNKS)
                    .measurementIterations(CHUNKS)
                    .shouldFailOnError(true)
                    .verbosity(VerboseMode.SILENT)
                    .build())
            .run();
    Map<String, List<Double>> times = new LinkedHashMap<>();
    for (RunResult result : results) {
      List<Double> values =
          result.getBenchmarkResults().stream()
              .flatMap(fork -> fork.getIterationResults().stream())
              .map(IterationResult::getPrimaryResult)
              .map(time -> time.getScore())
              .toList();
      String method = result.getPrimaryResult().getLabel();
      String name =
          SHARED.entrySet().stream()
              .filter(entry -> entry.getValue().equals(method))
              .map(Map.Entry::getKey)
              .findFirst()
              .orElse(method);
      times.put("java_" + name, values);
    }
    return times;
  }

  private static double median(List<Double> values) {
    List<Double> sorted = values.stream().sorted().toList();
    return sorted.get(sorted.size() / 2);
  }

  private JsonObject summary(Map<String, List<Double>> least) {
    JsonObject summary = new JsonObject();
    LaunchBenchmark benchmark = new LaunchBenchmark();
    benchmark.open();
    Map<String, Runnable> calls = new LinkedHashMap<>();
    calls.put("set_and_launch", benchmark::setAndLaunch);
    calls.put("launch", benchmark::launch);
    calls.put("operation", benchmark::operation);
    out.println("| ns, least (median of rounds) | C | Java | over C | bytes per million |");
    out.println("| --- | ---: | ---: | ---: | ---: |");
    calls.forEach((name, call) -> {
      JsonObject row = new JsonObject();
      String c = least.containsKey("c_" + name) ? side(row, "c", least.get("c_" + name)) : "";
      String java = side(row, "java", least.get("java_" + name));
      String over = c.isEmpty() ? "" : over(row);
      row.addProperty("bytes_allocated_by_a_million", allocated(call));
      summary.add(name, row);
      out.println(
          String.join(
              " | ",
              "| " + name,
              c,
              java,
              over,
              row.get("bytes_allocated_by_a_million").getAsString() + " |"));
    });
    benchmark.close();
    return summary;
  }

  private static String side(JsonObject row, String side, List<Double> rounds) {
    double least = rounds.stream().mapToDouble(v -> v).min().orElseThrow();
    row.addProperty(side + "_least_ns", least);
    row.addProperty(side + "_median_of_rounds_ns", median(rounds));
    return String.format(Locale.ROOT, "%.1f (%.1f)", least, median(rounds));
  }

  private static String over(JsonObject row) {
    for (String figure : List.of("least_ns", "median_of_rounds_ns")) {
      row.addProperty(
          "java_over_c_" + figure,
          row.get("java_" + figure).getAsDouble() - row.get("c_" + figure).getAsDouble());
    }
    return String.format(
        Locale.ROOT,
        "%.1f (%.1f)",
        row.get("java_over_c_least_ns").getAsDouble(),
        row.get("java_over_c_median_of_rounds_ns").getAsDouble());
  }

  /** Bytes that a million calls allocate on their thread, when the compiler is done with them. */
  private static long allocated(Runnable call) {
    ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    long least = Long.MAX_VALUE;
    for (int round = 0; round < 5; round++) {
      long before = threads.getCurrentThreadAllocatedBytes();
      for (int i = 0; i < COUNTED; i++) {
        call.run();
      }
      least = Math.min(least, threads.getCurrentThreadAllocatedBytes() - before);
    }
    return least;
  }

  private void write(JsonArray rounds, JsonObject summary) throws IOException {
    JsonObject report = new JsonObject();
    report.add("machine", Machine.describe(options.get("--machine")));
    report.addProperty("driver", "emulated, launches are checked and forgotten");
    report.addProperty("kernel_parameters", 8);
    report.add("summary", summary);
    report.add("rounds", rounds);
    Files.writeString(
        Path.of(options.get("--out")),
        new GsonBuilder().setPrettyPrinting().create().toJson(report) + System.lineSeparator());
  }
}
