package dev.sidefade.cli;

import com.google.gson.Gson;
import com.google.gson.GsonBuilder;
import com.google.gson.JsonElement;

/** JSON as text. */
final class Json {
  private Json() {}

  /** On one line. */
  static String line(JsonElement json) {
    return builder().create().toJson(json);
  }

  /** Indented. */
  static String indented(JsonElement json) {
    Gson gson = builder().setPrettyPrinting().create();
    return gson.toJson(json);
  }

  private static GsonBuilder builder() {
    return new GsonBuilder().serializeNulls().disableHtmlEscaping();
  }
}
