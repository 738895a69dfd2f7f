package dev.sidefade.report;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParseException;
import com.google.gson.JsonParser;
import dev.sidefade.tensor.BadInputException;
import java.io.IOException;
import java.nio.charset.CharacterCodingException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * What a comparison needs to know of a finished run, read from its {@code metrics.json}. A name
 * that is not in its map, and a number that is not finite, was not measured.
 *
 * @param seed of the run
 * @param scoreName the measure by which models are compared
 * @param scores split to model to that measure
 * @param latencyMs batch to model to the median in milliseconds
 * @param parameters counts by part
 * @param memoryBytes by what takes them
 * @param seconds of the whole run
 * @param config every setting as JSON text, so that two runs can be told apart
 * @param environment names to versions and machine
 */
public record RunMetrics(
    long seed,
    String scoreName,
    Map<String, Map<String, Double>> scores,
    Map<String, Map<String, Double>> latencyMs,
    Map<String, Long> parameters,
    Map<String, Long> memoryBytes,
    double seconds,
    Map<String, String> config,
    Map<String, String> environment) {

  /** Copies the maps, whose order stays. */
  public RunMetrics {
    scores = Ordered.copyOfNested(scores);
    latencyMs = Ordered.copyOfNested(latencyMs);
    parameters = Ordered.copyOf(parameters);
    memoryBytes = Ordered.copyOf(memoryBytes);
    config = Ordered.copyOf(config);
    environment = Ordered.copyOf(environment);
  }

  /**
   * {@return a run that was never written, as {@link MetricsJson} would write it}
   *
   * @param report what is to be told
   */
  public static RunMetrics of(RunReport report) {
    return of(JsonParser.parseString(MetricsJson.toJson(report)).getAsJsonObject());
  }

  /**
   * Reads a {@code metrics.json}.
   *
   * @param file the file
   * @return the metrics
   * @throws BadInputException if it is none
   * @throws IOException if the file cannot be read
   */
  public static RunMetrics read(Path file) throws IOException {
    try {
      return of(JsonParser.parseString(Files.readString(file)).getAsJsonObject());
    } catch (JsonParseException
        | CharacterCodingException
        | IllegalStateException
        | UnsupportedOperationException
        | NumberFormatException
        | ClassCastException e) {
      throw new BadInputException(
          file
              + " is not what a finished run writes ("
              + e.getMessage()
              + "): delete its folder and run again",
          e);
    }
  }

  private static RunMetrics of(JsonObject json) {
    String scoreName = json.has("score") ? json.get("score").getAsString() : RunReport.ACCURACY;
    Map<String, String> config = new LinkedHashMap<>();
    object(json, "config")
        .asMap()
        .forEach((name, value) -> config.put(name, JsonTree.print(value).strip()));
    Map<String, String> environment = new LinkedHashMap<>();
    object(json, "versions")
        .asMap()
        .forEach((name, value) -> environment.put(name, value.getAsString()));
    return new RunMetrics(
        required(json, "seed").getAsLong(),
        scoreName,
        nested(object(json, scoreName)),
        nested(object(json, "latency_ms")),
        counts(object(json, "parameters")),
        counts(object(json, "memory_bytes")),
        number(required(json, "seconds")),
        config,
        environment);
  }

  private static JsonElement required(JsonObject json, String name) {
    if (!json.has(name)) {
      throw new JsonParseException("it has no " + name);
    }
    return json.get(name);
  }

  private static JsonObject object(JsonObject json, String name) {
    return required(json, name).getAsJsonObject();
  }

  private static double number(JsonElement value) {
    return value.isJsonNull() ? Double.NaN : value.getAsDouble();
  }

  private static Map<String, Map<String, Double>> nested(JsonObject json) {
    Map<String, Map<String, Double>> all = new LinkedHashMap<>();
    json.asMap()
        .forEach((outer, inner) -> {
          Map<String, Double> values = new LinkedHashMap<>();
          inner
              .getAsJsonObject()
              .asMap()
              .forEach((name, value) -> {
                if (!value.isJsonNull()) {
                  values.put(name, value.getAsDouble());
                }
              });
          all.put(outer, values);
        });
    return all;
  }

  private static Map<String, Long> counts(JsonObject json) {
    Map<String, Long> counts = new LinkedHashMap<>();
    json.asMap()
        .forEach((name, value) -> {
          if (!value.isJsonNull()) {
            counts.put(name, value.getAsLong());
          }
        });
    return counts;
  }

  /**
   * {@return the score of a model on a split; NaN where it was not measured}
   *
   * @param split name of the split
   * @param model the model
   */
  public double score(String split, String model) {
    return scores.getOrDefault(split, Map.of()).getOrDefault(model, Double.NaN);
  }

  /**
   * {@return median milliseconds per call; NaN where it was not measured}
   *
   * @param batch name of the batch size
   * @param model the model
   */
  public double latency(String batch, String model) {
    return latencyMs.getOrDefault(batch, Map.of()).getOrDefault(model, Double.NaN);
  }
}
