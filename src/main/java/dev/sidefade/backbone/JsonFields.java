package dev.sidefade.backbone;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonIOException;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import com.google.gson.JsonSyntaxException;
import com.google.gson.Strictness;
import com.google.gson.stream.JsonReader;
import com.google.gson.stream.JsonToken;
import dev.sidefade.tensor.BadInputException;
import java.io.IOException;
import java.io.StringReader;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * A JSON object read field by field. Every complaint names the source (a file or a property) and
 * the key with its path. A key whose value is {@code null} counts as absent.
 */
record JsonFields(String source, String path, JsonObject object) {

  /** Parses a whole document, which must be one object. */
  static JsonFields parse(String source, String text) {
    try (JsonReader reader = new JsonReader(new StringReader(text))) {
      reader.setStrictness(Strictness.STRICT);
      JsonElement element = JsonParser.parseReader(reader);
      if (!element.isJsonObject() || reader.peek() != JsonToken.END_DOCUMENT) {
        throw new BadInputException(source + " must hold one JSON object; correct or remove it");
      }
      return new JsonFields(source, "", element.getAsJsonObject());
    } catch (JsonSyntaxException | JsonIOException | IOException | NumberFormatException e) {
      String reason = String.valueOf(e.getMessage()).lines().findFirst().orElse("");
      throw new BadInputException(
          source + " is not valid JSON (" + reason + "); correct or remove it", e);
    }
  }

  boolean has(String key) {
    return object.has(key) && !object.get(key).isJsonNull();
  }

  /** The object under a key, if there is one. */
  Optional<JsonFields> child(String key) {
    if (!has(key)) {
      return Optional.empty();
    }
    if (!object.get(key).isJsonObject()) {
      throw wrong(key, "an object");
    }
    return Optional.of(new JsonFields(source, path + key + ".", object.getAsJsonObject(key)));
  }

  Optional<String> text(String key) {
    if (!has(key)) {
      return Optional.empty();
    }
    return Optional.of(text(key, object.get(key)));
  }

  Optional<Boolean> flag(String key) {
    if (!has(key)) {
      return Optional.empty();
    }
    JsonElement value = object.get(key);
    if (!value.isJsonPrimitive() || !value.getAsJsonPrimitive().isBoolean()) {
      throw wrong(key, "true or false");
    }
    return Optional.of(value.getAsBoolean());
  }

  Optional<Double> number(String key) {
    return has(key) ? Optional.of(number(key, object.get(key))) : Optional.empty();
  }

  /** A whole number of 1 to 65536. */
  Optional<Integer> size(String key) {
    return has(key) ? Optional.of(size(key, object.get(key))) : Optional.empty();
  }

  /** A number, or a list of numbers. */
  Optional<float[]> floats(String key) {
    if (!has(key)) {
      return Optional.empty();
    }
    List<JsonElement> elements = listOrOne(key);
    float[] values = new float[elements.size()];
    for (int i = 0; i < values.length; i++) {
      values[i] = (float) number(key, elements.get(i)).doubleValue();
    }
    return Optional.of(values);
  }

  /**
   * Height and width: one number for both, a list of two, or an object with {@code height} and
   * {@code width}.
   */
  Optional<int[]> heightWidth(String key) {
    if (!has(key)) {
      return Optional.empty();
    }
    if (object.get(key).isJsonObject()) {
      JsonFields sides = child(key).orElseThrow();
      return Optional.of(new int[] {sides.required("height"), sides.required("width")});
    }
    List<JsonElement> sides = listOrOne(key);
    if (sides.isEmpty() || sides.size() > 2) {
      throw wrong(key, "one size, or height and width");
    }
    return Optional.of(new int[] {size(key, sides.getFirst()), size(key, sides.getLast())});
  }

  /** A list of texts. */
  Optional<List<String>> texts(String key) {
    if (!has(key)) {
      return Optional.empty();
    }
    if (!object.get(key).isJsonArray()) {
      throw wrong(key, "a list of texts");
    }
    List<String> values = new ArrayList<>();
    for (JsonElement element : object.getAsJsonArray(key)) {
      values.add(text(key, element));
    }
    return Optional.of(values);
  }

  BadInputException wrong(String key, String expected) {
    String value = String.valueOf(object.get(key));
    String shown = value.length() > 60 ? value.substring(0, 60) + "..." : value;
    return new BadInputException(
        source + ": " + path + key + " must be " + expected + ", but is " + shown);
  }

  private int required(String key) {
    return size(key).orElseThrow(() -> wrong(key, "a whole number of 1 to 65536"));
  }

  private List<JsonElement> listOrOne(String key) {
    JsonElement value = object.get(key);
    return value instanceof JsonArray array ? array.asList() : List.of(value);
  }

  private String text(String key, JsonElement value) {
    if (!value.isJsonPrimitive() || !value.getAsJsonPrimitive().isString()) {
      throw wrong(key, "a text");
    }
    return value.getAsString();
  }

  private Double number(String key, JsonElement value) {
    if (!value.isJsonPrimitive() || !value.getAsJsonPrimitive().isNumber()) {
      throw wrong(key, "a number");
    }
    double number = value.getAsDouble();
    if (!Float.isFinite((float) number)) {
      throw wrong(key, "a finite number");
    }
    return number;
  }

  private int size(String key, JsonElement value) {
    double number = number(key, value);
    if (number < 1 || number > 65536 || number != Math.rint(number)) {
      throw wrong(key, "a whole number of 1 to 65536");
    }
    return (int) number;
  }
}
