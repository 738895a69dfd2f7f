package dev.sidefade.bench.tables;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * Runs of {@code adapt} that differ in their seed alone, and which of their networks is meant.
 *
 * @param label first cell of the row
 * @param wanted values by key: {@code model} (faded unless said; side, linear_probe, ...), {@code
 *     split} (test unless said), and any key of a run or of its settings
 */
record Selection(String label, Map<String, String> wanted) {

  /** From {@code key=value; key=value | label}. */
  static Selection parse(String line) {
    int bar = line.indexOf('|');
    if (bar < 0) {
      throw new TableException("expected key=value; key=value | label, found: " + line);
    }
    return new Selection(line.substring(bar + 1).strip(), pairs(line.substring(0, bar)));
  }

  static Map<String, String> pairs(String text) {
    Map<String, String> pairs = new LinkedHashMap<>();
    for (String pair : text.split(";", -1)) {
      String[] sides = pair.strip().split("=", 2);
      if (sides.length == 2) {
        pairs.put(sides[0].strip(), sides[1].strip());
      } else if (!pair.isBlank()) {
        throw new TableException("expected key=value, found: " + pair.strip());
      }
    }
    return pairs;
  }

  /** A value of a run or of its settings, as text. */
  static String value(JsonObject run, String key) {
    return run.has(key) ? Json.text(run, key) : Json.text(run, "config", key);
  }

  /** Scores in per cent by seed. */
  Map<Integer, Double> scores(List<JsonObject> runs) {
    Map<Integer, JsonObject> found = new TreeMap<>();
    for (JsonObject run : runs) {
      OptionalDouble score = score(run);
      if (score.isPresent() && matches(run)) {
        JsonObject other = found.put(Integer.parseInt(value(run, "seed")), run);
        if (other != null) {
          throw new TableException(
              "\""
                  + label
                  + "\" takes several runs of one seed; they differ in "
                  + differences(other, run));
        }
      }
    }
    if (found.isEmpty()) {
      throw new TableException("\"" + label + "\" takes no run: " + wanted);
    }
    Map<Integer, Double> scores = new TreeMap<>();
    found.forEach((seed, run) -> scores.put(seed, 100 * score(run).orElseThrow()));
    return scores;
  }

  private OptionalDouble score(JsonObject run) {
    return Json.number(
        run,
        "accuracy",
        wanted.getOrDefault("split", "test"),
        wanted.getOrDefault("model", "faded"));
  }

  private boolean matches(JsonObject run) {
    return wanted.entrySet().stream()
        .filter(entry -> !Set.of("model", "split").contains(entry.getKey()))
        .allMatch(entry -> value(run, entry.getKey()).equals(entry.getValue()));
  }

  private static Set<String> differences(JsonObject a, JsonObject b) {
    Set<String> keys = new TreeSet<>();
    for (String part : List.of("", "config")) {
      JsonElement left = part.isEmpty() ? a : Json.at(a, part);
      JsonElement right = part.isEmpty() ? b : Json.at(b, part);
      if (left instanceof JsonObject x && right instanceof JsonObject y) {
        for (String key : x.keySet()) {
          if (!key.equals("config") && !key.equals("accuracy") && !x.get(key).equals(y.get(key))) {
            keys.add(key);
          }
        }
      }
    }
    return keys;
  }
}
