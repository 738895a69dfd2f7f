package dev.sidefade.bench.tables;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** Every measurement of a result, by what was measured. */
final class Samples {
  /** What names a case, in results that are not JMH's, in the order of the name. */
  private static final List<String> NAMES =
      List.of(
          "operation",
          "model",
          "shape",
          "depth",
          "attention",
          "tuning",
          "memory",
          "way",
          "features",
          "compiled",
          "optimizer",
          "device",
          "threads");

  private Samples() {}

  /**
   * Times, in any unit that is the same for a name.
   *
   * @param file of JMH, alone or beside its machine; of {@code sidefade bench --json} and the
   *     operations of the peers ({@code samples_us}); or with the least of several passes
   */
  static Map<String, double[]> of(JsonElement file) {
    Map<String, List<Double>> all = new LinkedHashMap<>();
    for (JsonObject result : Json.results(file)) {
      if (result.has("primaryMetric")) {
        add(all, jmhName(result), raw(result.getAsJsonObject("primaryMetric")));
      } else if (result.has("samples_us")) {
        add(all, name(result), numbers(result.getAsJsonArray("samples_us")));
      } else if (result.has("samples_ms")) {
        add(all, name(result), numbers(result.getAsJsonArray("samples_ms")));
      } else {
        for (String field : List.of("forward_min_ms", "gradients_min_ms", "update_min_ms")) {
          if (result.has(field)) {
            add(
                all,
                name(result) + ", " + field.replace("_min_ms", ""),
                List.of(result.get(field).getAsDouble()));
          }
        }
      }
    }
    Map<String, double[]> samples = new LinkedHashMap<>();
    all.forEach(
        (name, values) -> samples.put(name, values.stream().mapToDouble(value -> value).toArray()));
    if (samples.isEmpty()) {
      throw new TableException("there are no measurements that can be compared");
    }
    return samples;
  }

  private static void add(Map<String, List<Double>> all, String name, List<Double> values) {
    all.computeIfAbsent(name, key -> new ArrayList<>()).addAll(values);
  }

  private static String jmhName(JsonObject result) {
    String[] words = JmhTable.name(result).split("\\.", -1);
    String name = words[words.length - 2] + "." + words[words.length - 1];
    Map<String, String> params = new TreeMap<>();
    if (result.has("params")) {
      result
          .getAsJsonObject("params")
          .entrySet()
          .forEach(entry -> params.put(entry.getKey(), entry.getValue().getAsString()));
    }
    // older results have no device: theirs was the CPU
    params.remove("device", "cpu");
    return params.isEmpty() ? name : name + " " + params;
  }

  private static String name(JsonObject result) {
    List<String> words = new ArrayList<>();
    for (String key : NAMES) {
      if (result.has(key) && !result.get(key).isJsonNull()) {
        String value = result.get(key).getAsString();
        words.add(
            value.equals("true") || value.equals("false") || Character.isDigit(value.charAt(0))
                ? key + "=" + value
                : value);
      }
    }
    return String.join(", ", words);
  }

  /** Forks by iterations; the score alone where they were not kept. */
  private static List<Double> raw(JsonObject metric) {
    List<Double> values = new ArrayList<>();
    if (metric.has("rawData")) {
      metric
          .getAsJsonArray("rawData")
          .forEach(fork -> values.addAll(numbers(fork.getAsJsonArray())));
    } else {
      values.add(Json.need(metric, "score"));
    }
    return values;
  }

  private static List<Double> numbers(JsonArray array) {
    List<Double> values = new ArrayList<>();
    array.forEach(element -> values.add(element.getAsDouble()));
    return values;
  }
}
