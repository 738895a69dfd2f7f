import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** Checks that metrics.json has the keys that users are promised, with positive numbers, and prints the accuracies. */
final class CheckMetrics {
  private static final List<String> KEYS = new ArrayList<>();

  static {
    add("accuracy", List.of("val", "test"), List.of("linear_probe", "side", "faded"));
    add("latency_ms", List.of("batch1", "batch32"), List.of("original", "faded", "kept"));
    for (String key : List.of("backbone", "tuned", "side")) {
      KEYS.add("parameters." + key);
    }
    KEYS.addAll(List.of("memory_bytes.training_peak", "memory_bytes.taps", "seconds"));
  }

  private CheckMetrics() {}

  private static void add(String root, List<String> middle, List<String> leaves) {
    for (String m : middle) {
      for (String leaf : leaves) {
        KEYS.add(root + "." + m + "." + leaf);
      }
    }
  }

  public static void main(String[] arguments) throws Exception {
    JsonObject metrics =
        JsonParser.parseString(Files.readString(Path.of(arguments[0]))).getAsJsonObject();
    List<String> wrong = new ArrayList<>();
    for (String key : KEYS) {
      JsonElement value = find(metrics, key);
      if (value == null || !hasPositiveNumber(value)) {
        wrong.add(key + (value == null ? " is missing" : " is " + value));
      }
    }
    if (!metrics.has("config")) {
      wrong.add("config is missing");
    }
    System.out.println("accuracy: " + metrics.get("accuracy"));
    if (!wrong.isEmpty()) {
      System.err.println("metrics.json: " + String.join("; ", wrong));
      System.exit(1);
    }
  }

  private static JsonElement find(JsonObject root, String key) {
    JsonElement at = root;
    for (String name : key.split("\\.", -1)) {
      at = at instanceof JsonObject object ? object.get(name) : null;
    }
    return at;
  }

  /** A number above 0, or an object of numbers with at least one above 0 (seconds, by phase). */
  private static boolean hasPositiveNumber(JsonElement value) {
    if (value instanceof JsonObject object) {
      return object.entrySet().stream().anyMatch(e -> hasPositiveNumber(e.getValue()));
    }
    return value.isJsonPrimitive()
        && value.getAsJsonPrimitive().isNumber()
        && value.getAsDouble() > 0;
  }
}
