package dev.sidefade.bench.tables;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParseException;
import com.google.gson.JsonParser;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalDouble;

/** Reading results. */
final class Json {
  private Json() {}

  static JsonElement read(Path file) throws IOException {
    if (!Files.isRegularFile(file)) {
      throw new TableException("there is no " + file + ": check the name");
    }
    try {
      return JsonParser.parseString(Files.readString(file));
    } catch (JsonParseException e) {
      throw new TableException(file + " is not JSON: " + e.getMessage());
    }
  }

  /**
   * The list of results: the whole file as JMH writes it, or what stands under {@code results} or
   * {@code runs} beside the machine.
   */
  static List<JsonObject> results(JsonElement file) {
    JsonElement list = file;
    if (file instanceof JsonObject object) {
      list = object.has("results") ? object.get("results") : object.get("runs");
    }
    if (!(list instanceof JsonArray array)) {
      throw new TableException("expected a list, or an object with results or runs");
    }
    List<JsonObject> results = new ArrayList<>();
    array.forEach(element -> results.add(element.getAsJsonObject()));
    return results;
  }

  /** What lies under names that follow each other; null where one is missing or the value null. */
  static JsonElement at(JsonElement root, String... names) {
    JsonElement at = root;
    for (String name : names) {
      at = at instanceof JsonObject object ? object.get(name) : null;
    }
    return at == null || at.isJsonNull() ? null : at;
  }

  static OptionalDouble number(JsonElement root, String... names) {
    JsonElement found = at(root, names);
    return found == null ? OptionalDouble.empty() : OptionalDouble.of(found.getAsDouble());
  }

  static double need(JsonElement root, String... names) {
    return number(root, names)
        .orElseThrow(() -> new TableException("no " + String.join(".", names) + " in " + root));
  }

  /** The value as text; "null" where there is none. */
  static String text(JsonElement root, String... names) {
    JsonElement found = at(root, names);
    return found == null ? "null" : found.getAsString();
  }
}
