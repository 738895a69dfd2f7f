package dev.sidefade.report;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonNull;
import com.google.gson.JsonObject;
import com.google.gson.JsonPrimitive;
import java.util.Collection;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;

/**
 * Plain Java values as JSON, and JSON as text for people: one member a line, short arrays in one
 * line.
 */
final class JsonTree {
  private JsonTree() {}

  /**
   * Maps, collections, arrays of numbers, optionals and scalars; numbers that are not finite become
   * null.
   */
  static JsonElement of(@Nullable Object value) {
    return switch (value) {
      case null -> JsonNull.INSTANCE;
      case JsonElement json -> json;
      case Boolean bool -> new JsonPrimitive(bool);
      case Number number -> ofNumber(number);
      case Optional<?> optional -> of(optional.orElse(null));
      case OptionalDouble o -> o.isPresent() ? ofNumber(o.getAsDouble()) : JsonNull.INSTANCE;
      case OptionalInt o -> o.isPresent() ? new JsonPrimitive(o.getAsInt()) : JsonNull.INSTANCE;
      case OptionalLong o -> o.isPresent() ? new JsonPrimitive(o.getAsLong()) : JsonNull.INSTANCE;
      case Map<?, ?> map -> {
        JsonObject object = new JsonObject();
        map.forEach((key, inner) -> object.add(String.valueOf(key), of(inner)));
        yield object;
      }
      case Collection<?> many -> {
        JsonArray array = new JsonArray();
        many.forEach(inner -> array.add(of(inner)));
        yield array;
      }
      case Object[] many -> of(java.util.Arrays.asList(many));
      case int[] many -> of(java.util.Arrays.stream(many).boxed().toList());
      case long[] many -> of(java.util.Arrays.stream(many).boxed().toList());
      case double[] many -> of(java.util.Arrays.stream(many).boxed().toList());
      default -> new JsonPrimitive(value.toString());
    };
  }

  private static JsonElement ofNumber(Number number) {
    boolean fraction = number instanceof Double || number instanceof Float;
    return fraction && !Double.isFinite(number.doubleValue())
        ? JsonNull.INSTANCE
        : new JsonPrimitive(number);
  }

  static String print(JsonElement json) {
    StringBuilder out = new StringBuilder();
    print(json, "\n", out);
    return withoutLoneSurrogates(out.append('\n'));
  }

  /** UTF-8 cannot hold half a character. */
  private static String withoutLoneSurrogates(CharSequence text) {
    StringBuilder whole = new StringBuilder(text.length());
    text.codePoints()
        .forEach(
            c -> whole.appendCodePoint(Character.getType(c) == Character.SURROGATE ? 0xFFFD : c));
    return whole.toString();
  }

  private static void print(JsonElement json, String newline, StringBuilder out) {
    switch (json) {
      case JsonObject object when !object.isEmpty() -> {
        List<String> keys = List.copyOf(object.keySet());
        out.append('{');
        for (int i = 0; i < keys.size(); i++) {
          out.append(i == 0 ? "" : ",").append(newline).append("  ");
          out.append(new JsonPrimitive(keys.get(i))).append(": ");
          print(object.get(keys.get(i)), newline + "  ", out);
        }
        out.append(newline).append('}');
      }
      case JsonArray array when isNested(array) -> {
        out.append('[');
        for (Iterator<JsonElement> i = array.iterator(); i.hasNext(); ) {
          out.append(newline).append("  ");
          print(i.next(), newline + "  ", out);
          out.append(i.hasNext() ? "," : "");
        }
        out.append(newline).append(']');
      }
      default -> out.append(json);
    }
  }

  private static boolean isNested(JsonArray array) {
    for (JsonElement element : array) {
      if (element.isJsonArray() || element.isJsonObject()) {
        return true;
      }
    }
    return false;
  }
}
