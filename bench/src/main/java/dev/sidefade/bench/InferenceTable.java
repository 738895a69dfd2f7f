package dev.sidefade.bench;

import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import dev.sidefade.AdaptConfig;
import dev.sidefade.Sidefade;
import dev.sidefade.backbone.Backbone;
import dev.sidefade.export.LatencyMeter;
import dev.sidefade.kernels.Pooling;
import dev.sidefade.tensor.CounterRandom;
import dev.sidefade.tensor.DType;
import dev.sidefade.tensor.Shape;
import dev.sidefade.tensor.Tensor;
import java.io.IOException;
import java.io.PrintStream;
import java.lang.foreign.Arena;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;

/**
 * Latency of the original, the faded and the kept model, in turns, over batch sizes and threads:
 * {@code InferenceTable --out FILE.json [--machine NAME] [--seconds N] [--passes N] [--batches
 * 1,8,32,128] [--threads 1,2]}. The models come from an adaptation of one epoch: what they answer
 * does not matter here.
 *
 * <p>The original takes part twice, as two sessions: "again" over "original" says what a difference
 * means that is none. Every pass opens all sessions anew, for two sessions of one file may differ
 * by where their memory lies, which no number of rounds shows.
 */
public final class InferenceTable {
  private static final String ORIGINAL = "original";

  private final Map<String, String> options = new LinkedHashMap<>();
  private final PrintStream log = new PrintStream(System.err, true, StandardCharsets.UTF_8);

  private InferenceTable(String[] arguments) {
    options.put("--out", "inference.json");
    options.put("--machine", "unnamed");
    options.put("--seconds", "1");
    options.put("--passes", "10");
    options.put("--batches", "1,8,32,128");
    options.put("--threads", "1,2");
    for (int i = 0; i < arguments.length; i += 2) {
      if (!options.containsKey(arguments[i]) || i + 1 == arguments.length) {
        throw new IllegalArgumentException(
            arguments[i] + " is no option with a value; there are " + options.keySet());
      }
      options.put(arguments[i], arguments[i + 1]);
    }
  }

  /** Measures everything. */
  public static void main(String[] arguments) throws IOException {
    new InferenceTable(arguments).run();
  }

  private void run() throws IOException {
    Path folder = Files.createTempDirectory("sidefade-inference");
    try {
      JsonObject report = new JsonObject();
      report.add("machine", Machine.describe(options.get("--machine")));
      report.add("results", measure(models(folder)));
      Machine.write(report, Path.of(options.get("--out")));
    } finally {
      Shipped.delete(folder);
    }
  }

  private static Map<String, Path> models(Path folder) throws IOException {
    Path backbone = Shipped.backbone(folder);
    Sidefade.adapt(
        AdaptConfig.builder()
            .backbone(backbone)
            .train(Shipped.images("labelled", folder).toString())
            .validation(Shipped.images("val", folder).toString())
            .readout(Pooling.CLS_MEAN)
            .epochs(1)
            .out(folder.resolve("out"))
            .build());
    Map<String, Path> models = new LinkedHashMap<>();
    models.put(ORIGINAL, backbone);
    models.put("again", backbone);
    models.put("faded", folder.resolve("out").resolve("model.onnx"));
    models.put("kept", folder.resolve("out").resolve("kept.onnx"));
    return models;
  }

  private JsonArray measure(Map<String, Path> models) throws IOException {
    JsonArray results = new JsonArray();
    Duration budget =
        Duration.ofMillis(Math.round(1e3 * Double.parseDouble(options.get("--seconds"))));
    try (Backbone backbone = Backbone.load(models.get(ORIGINAL));
        Arena arena = Arena.ofConfined()) {
      for (String threads : options.get("--threads").split(",", -1)) {
        for (String batch : options.get("--batches").split(",", -1)) {
          Tensor images = images(backbone, Long.parseLong(batch), arena);
          Map<String, Tensor> inputs = Map.of(backbone.inputName(), images);
          List<Map<String, double[]>> passes = new ArrayList<>();
          for (int pass = 0; pass < Integer.parseInt(options.get("--passes")); pass++) {
            passes.add(LatencyMeter.rounds(models, inputs, Integer.parseInt(threads), budget));
          }
          for (String model : models.keySet()) {
            JsonObject result = new JsonObject();
            result.addProperty("model", model);
            result.addProperty("batch", Long.parseLong(batch));
            result.addProperty("threads", Integer.parseInt(threads));
            describe(model, passes, result);
            log.println(result);
            results.add(result);
          }
        }
      }
    }
    return results;
  }

  /** Over the rounds of all passes, and pass by pass how much longer than the original. */
  private static void describe(
      String model, List<Map<String, double[]>> passes, JsonObject result) {
    double[] times =
        passes.stream().flatMapToDouble(pass -> Arrays.stream(pass.get(model))).sorted().toArray();
    result.addProperty("rounds", times.length);
    result.addProperty("median_ms", times[times.length / 2]);
    result.addProperty("low_ms", times[times.length / 10]);
    result.addProperty("high_ms", times[times.length * 9 / 10]);
    JsonArray quotients = new JsonArray();
    passes.forEach(pass -> quotients.add(medianQuotient(pass.get(model), pass.get(ORIGINAL))));
    result.add("over_original", quotients);
  }

  /** The median over the rounds of one pass. */
  private static double medianQuotient(double[] times, double[] original) {
    double[] quotients =
        IntStream.range(0, times.length)
            .mapToDouble(i -> times[i] / original[i])
            .sorted()
            .toArray();
    return quotients[quotients.length / 2];
  }

  private static Tensor images(Backbone backbone, long batch, Arena arena) {
    Shape shape = Shape.of(batch, backbone.channels(), backbone.height(), backbone.width());
    Tensor images = Tensor.wrap(arena.allocate(shape.size() * Float.BYTES, 64), shape, DType.F32);
    for (long i = 0; i < images.size(); i++) {
      images.set(i, CounterRandom.normal(1, batch, i));
    }
    return images;
  }
}
