package dev.sidefade.cli;

import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import dev.sidefade.kernels.Device;
import dev.sidefade.kernels.Kernels;
import dev.sidefade.tensor.BadInputException;
import java.io.PrintWriter;
import java.lang.management.ManagementFactory;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.function.Function;
import picocli.CommandLine.Command;
import picocli.CommandLine.ExitCode;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code sidefade bench}. */
@Command(
    name = "bench",
    header = "Time the main operations on this machine.",
    synopsisHeading = "%nUsage: ",
    description = {
      "A table: median and quartiles of each operation after a warm-up, its rate,"
          + " and for those that memory bounds the share of what the device copies. Small tensors"
          + " stay in caches, so shares above 100 %% are possible. Run it while nothing else runs;"
          + " bench/run measures more thoroughly."
    },
    descriptionHeading = "%n",
    sortOptions = false,
    optionListHeading = "%nOptions:%n",
    exitCodeListHeading = "%nExit codes:%n",
    exitCodeList = {"0:done", "2:wrong use, or the device cannot be used"},
    footerHeading = "%nExamples:%n",
    footer = {"  sidefade bench", "  sidefade bench --device cuda --json > bench.json"})
final class BenchCommand implements Callable<Integer> {
  private static final int PARAMETERS = 3_000_000;
  private static final double LONGEST_SECONDS = 60;

  @Spec private CommandSpec spec;

  @Option(
      names = "--device",
      paramLabel = "cpu|cuda|auto",
      defaultValue = "cpu",
      description = "What is measured (default: ${DEFAULT-VALUE}).")
  private DeviceChoice device;

  @Mixin private ThreadOptions threads;

  @Option(
      names = "--shape",
      paramLabel = "demo|minilm|vit-b",
      split = ",",
      description = "At which sizes; several with commas (default: all).")
  private List<BenchShape> shapes = List.of(BenchShape.values());

  @Option(
      names = "--operation",
      paramLabel = "NAME",
      split = ",",
      description = "Only these of the operations; several with commas (default: all).")
  private Set<String> operations = Set.of();

  @Option(
      names = "--seconds",
      paramLabel = "S",
      defaultValue = "0.5",
      description = "Time for each operation (default: ${DEFAULT-VALUE}).")
  private double seconds;

  @Option(
      names = "--copy-mib",
      paramLabel = "N",
      defaultValue = "256",
      description =
          "Memory that is copied for the copy rate, more than caches hold (default:"
              + " ${DEFAULT-VALUE}).")
  private int copyMebibytes;

  @Option(
      names = "--json",
      description =
          "Print {\"machine\",\"results\":[{\"operation\",\"shape\",\"median_us\",...,"
              + "\"samples_us\"}]} on the standard output.")
  private boolean json;

  @Mixin
  @SuppressWarnings("unused") // picocli fills it
  private CommonOptions common;

  private final List<BenchResult> results = new ArrayList<>();

  @Override
  public Integer call() {
    if (!(seconds > 0 && seconds <= LONGEST_SECONDS)) {
      throw new BadInputException(
          "--seconds must be above 0 and at most " + LONGEST_SECONDS + ", got " + seconds);
    }
    if (copyMebibytes < 1 || copyMebibytes > 4096) {
      throw new BadInputException("--copy-mib must be from 1 to 4096, got " + copyMebibytes);
    }
    if (!BenchOperations.NAMES.containsAll(operations)) {
      throw new BadInputException(
          "--operation knows "
              + String.join(", ", BenchOperations.NAMES)
              + "; got "
              + String.join(", ", operations));
    }
    int count = threads.count() == 0 ? Runtime.getRuntime().availableProcessors() : threads.count();
    try (Device opened = open(count);
        BenchTimer timer = new BenchTimer(opened, Duration.ofNanos(Math.round(1e9 * seconds)))) {
      PrintWriter out = spec.commandLine().getOut();
      if (!json) {
        out.println(opened.name());
        out.println();
        out.println(BenchResult.header());
      }
      measureAll(opened, timer, count);
      if (json) {
        out.println(Json.indented(toJson(opened, count)));
      }
    }
    return ExitCode.OK;
  }

  private Device open(int count) {
    return device == DeviceChoice.AUTO
        ? Device.best(count)
        : Device.open(Choice.text(device), count);
  }

  private void measureAll(Device opened, BenchTimer timer, int count) {
    Kernels kernels = opened.kernels();
    double copyRate;
    try (BenchCopy copy = new BenchCopy(opened, count, (long) copyMebibytes << 20)) {
      BenchOperation operation = copy.operation();
      double[] micros = timer.measure(operation.call());
      copyRate = operation.bytes() / BenchTimer.quantile(micros, 0.5);
      add(new BenchResult(operation, micros, copyRate));
    }
    try (BenchTensors tensors = new BenchTensors(opened)) {
      timer.warmUp(
          BenchOperations.of(shapes.getFirst(), kernels, tensors).stream()
              .filter(operation -> wants(operation.name()))
              .map(BenchOperation::call)
              .toList());
    }
    for (BenchShape shape : shapes) {
      measure(opened, timer, copyRate, t -> BenchOperations.of(shape, kernels, t));
    }
    if (wants("logitDistillation")) {
      measure(opened, timer, copyRate, t -> List.of(BenchOperations.logits(256, 10, kernels, t)));
      measure(
          opened, timer, copyRate, t -> List.of(BenchOperations.logits(4096, 1000, kernels, t)));
    }
    if (wants("adamw")) {
      measure(opened, timer, copyRate, t -> List.of(BenchOperations.adamw(PARAMETERS, kernels, t)));
    }
  }

  private void measure(
      Device opened,
      BenchTimer timer,
      double copyRate,
      Function<BenchTensors, List<BenchOperation>> maker) {
    try (BenchTensors tensors = new BenchTensors(opened)) {
      for (BenchOperation operation : maker.apply(tensors)) {
        if (wants(operation.name())) {
          add(new BenchResult(operation, timer.measure(operation.call()), copyRate));
        }
      }
    }
  }

  private boolean wants(String operation) {
    return operations.isEmpty() || operations.contains(operation);
  }

  private void add(BenchResult result) {
    results.add(result);
    if (!json) {
      PrintWriter out = spec.commandLine().getOut();
      out.println(result.line());
      out.flush();
    }
  }

  private JsonObject toJson(Device opened, int count) {
    JsonObject machine = new JsonObject();
    machine.addProperty("device", opened.name());
    machine.addProperty("threads", count);
    machine.addProperty("logical_cpus", Runtime.getRuntime().availableProcessors());
    machine.addProperty(
        "system",
        System.getProperty("os.name")
            + " "
            + System.getProperty("os.version")
            + " "
            + System.getProperty("os.arch"));
    machine.addProperty("sidefade", VersionText.text());
    machine.addProperty("java", Runtime.version().toString());
    machine.addProperty(
        "load_average", ManagementFactory.getOperatingSystemMXBean().getSystemLoadAverage());
    JsonArray list = new JsonArray();
    results.forEach(result -> list.add(result.toJson()));
    JsonObject report = new JsonObject();
    report.add("machine", machine);
    report.add("results", list);
    return report;
  }
}
