package dev.sidefade.text;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonNull;
import com.google.gson.JsonObject;
import com.google.gson.JsonPrimitive;
import java.util.List;

/** Looks into JSON of which anything may be absent or of another type than expected. */
final class Json {
  private Json() {}

  /** A member of an object; null of JSON if it is absent, or there is no object. */
  static JsonElement member(JsonElement parent, String key) {
    boolean present = parent instanceof JsonObject object && object.has(key);
    return present ? parent.getAsJsonObject().get(key) : JsonNull.INSTANCE;
  }

  /** The elements of an array; none if it is no array. */
  static List<JsonElement> elements(JsonElement array) {
    return array instanceof JsonArray a ? a.asList() : List.of();
  }

  /** The text of a string, number or boolean; empty for all else. */
  static String text(JsonElement value) {
    return value instanceof JsonPrimitive p ? p.getAsString() : "";
  }
}
