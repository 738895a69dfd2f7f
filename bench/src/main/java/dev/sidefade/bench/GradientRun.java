package dev.sidefade.bench;

import ai.onnxruntime.OrtEnvironment;
import com.google.gson.JsonObject;
import dev.sidefade.backbone.Backbone;
import dev.sidefade.backbone.Trunk;
import dev.sidefade.backbone.TrunkOutput;
import dev.sidefade.backbone.TrunkSpec;
import dev.sidefade.backbone.TunableConstant;
import dev.sidefade.backbone.TunedTrunk;
import dev.sidefade.backbone.TunedTrunkSpec;
import dev.sidefade.tensor.CounterRandom;
import dev.sidefade.tensor.DType;
import dev.sidefade.tensor.Shape;
import dev.sidefade.tensor.Tensor;
import java.io.IOException;
import java.io.PrintStream;
import java.lang.foreign.Arena;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.stream.IntStream;

/**
 * Measures one case in a process of its own: {@code GradientRun FILE MODEL TUNING MEMORY THREADS},
 * started by {@link GradientMemoryTable}. Memory first, with nothing open but the tuned trunk: of
 * opening it, and of running it; then times, one plain forward run and one run for gradients in
 * turn.
 */
final class GradientRun {
  private static final int WARM_UPS = 5;
  private static final int LEAST_ROUNDS = 10;
  private static final int MOST_ROUNDS = 60;
  private static final long LONG_ENOUGH_NANOS = 2_500_000_000L;

  private final GradientCase measured;
  private final Backbone backbone;
  private final int threads;
  private final List<Integer> taps;
  private final Arena arena;
  private final JsonObject result = new JsonObject();

  private GradientRun(GradientCase measured, Backbone backbone, int threads, Arena arena) {
    this.measured = measured;
    this.backbone = backbone;
    this.threads = threads;
    this.arena = arena;
    this.taps = IntStream.rangeClosed(0, backbone.structure().blocks()).boxed().toList();
  }

  /** Prints one line of JSON. */
  public static void main(String[] arguments) throws IOException {
    GradientCase measured = new GradientCase(arguments[1], arguments[2], arguments[3]);
    PrintStream out = new PrintStream(System.out, true, StandardCharsets.UTF_8);
    // the library's own memory is not the case's
    OrtEnvironment.getEnvironment();
    try (Arena arena = Arena.ofConfined();
        Backbone backbone = Backbone.load(Path.of(arguments[0]))) {
      int threads = Integer.parseInt(arguments[4]);
      GradientRun run = new GradientRun(measured, backbone, threads, arena);
      if (measured.plain()) {
        run.measurePlain();
      } else {
        run.measureGradients();
      }
      out.println(run.result);
    }
  }

  private void measurePlain() throws IOException {
    OptionalLong before = startMemory();
    try (Trunk trunk = backbone.openTrunk(TrunkSpec.of(threads, taps))) {
      OptionalLong opened = addGrowth("opening", before);
      Runnable forward = forward(trunk);
      repeat(forward);
      addGrowth("running", opened);
      time(forward, () -> {});
    }
  }

  private void measureGradients() throws IOException {
    OptionalLong before = startMemory();
    TunedTrunkSpec spec =
        new TunedTrunkSpec(threads, taps, measured.toTuning(), measured.toMemory());
    try (TunedTrunk tuned = TunedTrunk.open(backbone, spec)) {
      OptionalLong opened = addGrowth("opening", before);
      Map<String, Tensor> gradients = new LinkedHashMap<>();
      Runnable gradient = gradient(tuned, gradients);
      repeat(gradient);
      addGrowth("running", opened);
      result.addProperty("kept_bytes", tuned.keptBytes());
      result.addProperty("tuned_values", gradients.values().stream().mapToLong(Tensor::size).sum());
      try (Trunk plain = backbone.openTrunk(TrunkSpec.of(threads, taps))) {
        Runnable forward = forward(plain);
        repeat(forward);
        time(forward, gradient);
      }
      requireNumbers(gradients);
    }
  }

  private static OptionalLong startMemory() throws IOException {
    ResidentMemory.forgetPeak();
    return ResidentMemory.now();
  }

  /** Adds by how much the peak exceeds what was resident before, and begins the next part. */
  private OptionalLong addGrowth(String part, OptionalLong before) throws IOException {
    OptionalLong peak = ResidentMemory.peak();
    if (before.isPresent() && peak.isPresent()) {
      long growth = Math.max(0, peak.getAsLong() - before.getAsLong());
      result.addProperty(part + "_resident_growth_bytes", growth);
    }
    return startMemory();
  }

  private Runnable forward(Trunk trunk) {
    Map<String, Tensor> inputs = Map.of(backbone.inputName(), images());
    List<Tensor> results = results(trunk.outputs());
    return () -> trunk.run(inputs, GradientCase.BATCH, results);
  }

  private Runnable gradient(TunedTrunk trunk, Map<String, Tensor> gradients) {
    Map<String, Tensor> inputs = Map.of(backbone.inputName(), images());
    List<Tensor> results = results(trunk.outputs());
    Map<String, Tensor> constants = new LinkedHashMap<>();
    int stream = 2;
    for (TunableConstant constant : trunk.constants()) {
      Tensor tensor = random(stream, 0.02f, constant.shape());
      constant.present().ifPresent(present -> tensor.setFloats(present.floats()));
      constants.put(constant.name(), tensor);
      gradients.put(constant.name(), allocate(constant.shape()));
      stream++;
    }
    Tensor seed = random(1, 1, results.get(trunk.finalInput()).shape());
    return () -> {
      trunk.forwardForGradient(inputs, constants, GradientCase.BATCH, results);
      trunk.backward(seed, gradients);
    };
  }

  private Tensor images() {
    return random(
        0,
        1,
        Shape.of(GradientCase.BATCH, backbone.channels(), backbone.height(), backbone.width()));
  }

  private List<Tensor> results(List<TrunkOutput> outputs) {
    List<Tensor> results = new ArrayList<>();
    outputs.forEach(output -> results.add(allocate(Shape.of(output.shape(GradientCase.BATCH)))));
    return results;
  }

  private Tensor allocate(Shape shape) {
    long bytes = Math.multiplyExact(shape.size(), DType.F32.bytes());
    return Tensor.wrap(arena.allocate(bytes, 64), shape, DType.F32);
  }

  private Tensor random(int stream, float deviation, Shape shape) {
    Tensor tensor = allocate(shape);
    for (long i = 0; i < tensor.size(); i++) {
      tensor.set(i, deviation * CounterRandom.normal(1, stream, i));
    }
    return tensor;
  }

  private static void repeat(Runnable run) {
    for (int i = 0; i < WARM_UPS; i++) {
      run.run();
    }
  }

  /** In turn, so that what else the machine does strikes both. */
  private void time(Runnable forward, Runnable gradient) {
    double[] forwards = new double[MOST_ROUNDS];
    double[] gradients = new double[MOST_ROUNDS];
    long start = System.nanoTime();
    int rounds = 0;
    while (rounds < LEAST_ROUNDS
        || rounds < MOST_ROUNDS && System.nanoTime() - start < LONG_ENOUGH_NANOS) {
      forwards[rounds] = millis(forward);
      gradients[rounds] = millis(gradient);
      rounds++;
    }
    result.addProperty("rounds", rounds);
    addTimes("forward", forwards, rounds);
    if (!measured.plain()) {
      addTimes("gradients", gradients, rounds);
    }
  }

  private static double millis(Runnable run) {
    long start = System.nanoTime();
    run.run();
    return (System.nanoTime() - start) / 1e6;
  }

  private void addTimes(String name, double[] times, int rounds) {
    double[] sorted = Arrays.copyOf(times, rounds);
    Arrays.sort(sorted);
    result.addProperty(name + "_min_ms", sorted[0]);
    result.addProperty(name + "_median_ms", sorted[rounds / 2]);
  }

  /** A run on NaNs, or without gradients, would have been timed for nothing. */
  private static void requireNumbers(Map<String, Tensor> gradients) {
    gradients.forEach((name, gradient) -> {
      double squares = 0;
      for (float value : gradient.toFloats()) {
        squares += (double) value * value;
      }
      if (!(squares > 0 && squares < Double.POSITIVE_INFINITY)) {
        throw new IllegalStateException("the gradient of " + name + " has the square " + squares);
      }
    });
  }
}
