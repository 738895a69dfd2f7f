package dev.sidefade.bench.tables;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

/** What {@code bench/soak/run fuzz} found: a row per parser, of all files in their order. */
final class FuzzTable {
  private FuzzTable() {}

  static List<String> lines(Block block) throws IOException {
    List<String> lines = new ArrayList<>();
    lines.add("| parser | inputs | read | refused | answered wrongly |");
    lines.add(Text.rule(1, 4));
    for (int i = 0; i < block.files().size(); i++) {
      JsonElement parsers = Json.at(block.file(i), "parsers");
      if (parsers == null) {
        throw new TableException(block.files().get(i) + " holds no parsers");
      }
      for (JsonElement element : parsers.getAsJsonArray()) {
        JsonObject parser = element.getAsJsonObject();
        lines.add(
            Text.row(
                Json.text(parser, "parser"),
                Text.fixed(Json.need(parser, "inputs"), 0),
                Text.fixed(Json.need(parser, "read"), 0),
                Text.fixed(Json.need(parser, "refused"), 0),
                Text.fixed(Json.need(parser, "answered_wrongly"), 0)));
      }
    }
    return lines;
  }
}
