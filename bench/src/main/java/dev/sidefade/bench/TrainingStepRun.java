package dev.sidefade.bench;

import com.google.gson.JsonObject;
import dev.sidefade.kernels.Device;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.OptionalLong;

/**
 * Times and memory of one case of {@link TrainingStepBenchmark} in a process of its own: {@code
 * TrainingStepRun SHAPE FEATURES THREADS STEPS WARMUP}, which {@code peers/training_step.py} starts
 * in turn with its own. Memory grows from where the taps are there and nothing else, as it is
 * counted there. Prints one line of JSON.
 */
public final class TrainingStepRun {
  private final JsonObject result = new JsonObject();

  private TrainingStepRun() {}

  /** Measures. */
  public static void main(String[] arguments) throws IOException {
    TrainingStepRun run = new TrainingStepRun();
    run.measure(arguments);
    new PrintStream(System.out, true, StandardCharsets.UTF_8).println(run.result);
  }

  private void measure(String[] arguments) throws IOException {
    TrainingStepBenchmark benchmark = new TrainingStepBenchmark();
    benchmark.device = "cpu";
    benchmark.shape = arguments[0];
    benchmark.features = Boolean.parseBoolean(arguments[1]);
    benchmark.threads = Integer.parseInt(arguments[2]);
    int steps = Integer.parseInt(arguments[3]);
    int warmUp = Integer.parseInt(arguments[4]);
    long[] tapBytes = new long[1];
    OptionalLong[] before = {OptionalLong.empty()};
    benchmark.whenTapsAreThere =
        device -> {
          tapBytes[0] = device.liveBytes();
          before[0] = startMemory();
        };
    benchmark.open();
    try {
      result.addProperty("first_step_ms", millis(benchmark));
      for (int i = 1; i < warmUp; i++) {
        benchmark.step();
      }
      double[] times = new double[steps];
      for (int i = 0; i < steps; i++) {
        times[i] = millis(benchmark);
      }
      addTimes(times);
      addMemory(benchmark.opened, tapBytes[0], before[0]);
      result.addProperty("last_loss", benchmark.crossEntropy());
    } finally {
      benchmark.close();
    }
  }

  private static double millis(TrainingStepBenchmark benchmark) {
    long start = System.nanoTime();
    benchmark.step();
    return (System.nanoTime() - start) / 1e6;
  }

  private void addTimes(double[] times) {
    double[] sorted = times.clone();
    Arrays.sort(sorted);
    int n = sorted.length;
    result.addProperty("median_ms", (sorted[(n - 1) / 2] + sorted[n / 2]) / 2);
    result.addProperty("quartile_1_ms", sorted[n / 4]);
    result.addProperty("quartile_3_ms", sorted[(3 * n - 1) / 4]);
    result.addProperty("min_ms", sorted[0]);
    result.addProperty("max_ms", sorted[n - 1]);
    result.addProperty("steps", n);
  }

  /** All tensors at once, scratch included: parameters, gradients, moments, activations. */
  private void addMemory(Device device, long tapBytes, OptionalLong before) throws IOException {
    result.addProperty("kept_bytes", device.peakBytes() - tapBytes);
    OptionalLong peak = ResidentMemory.peak();
    if (before.isPresent() && peak.isPresent()) {
      result.addProperty("rss_increase_bytes", peak.getAsLong() - before.getAsLong());
    }
  }

  private static OptionalLong startMemory() {
    try {
      ResidentMemory.forgetPeak();
      return ResidentMemory.now();
    } catch (IOException e) {
      return OptionalLong.empty();
    }
  }
}
