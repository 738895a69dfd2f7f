package dev.sidefade.bench.tables;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** The summary of {@code bench/launch}: least, and in brackets the median of the rounds' least. */
final class LaunchTable {
  private static final List<Map.Entry<String, String>> TITLES =
      List.of(
          Map.entry("set_and_launch", "all eight set anew, launched"),
          Map.entry("launch", "launched as it is"),
          Map.entry("operation", "`Kernels.add`: tensors checked, one launch of three arguments"));

  private LaunchTable() {}

  static List<String> lines(Block block) throws IOException {
    JsonElement file = block.file(0);
    List<String> lines = new ArrayList<>();
    lines.add(
        "| a launch of eight arguments | C, ns | Java, ns | Java over C, ns | allocated, bytes in a"
            + " million |");
    lines.add(Text.rule(1, 4));
    TITLES.forEach(entry -> {
      JsonElement found = Json.at(file, "summary", entry.getKey());
      if (found != null) {
        JsonObject row = found.getAsJsonObject();
        lines.add(
            Text.row(
                entry.getValue(),
                both(row, "c"),
                both(row, "java"),
                both(row, "java_over_c"),
                Text.fixed(Json.need(row, "bytes_allocated_by_a_million"), 0)));
      }
    });
    return lines;
  }

  private static String both(JsonObject row, String side) {
    return row.has(side + "_least_ns")
        ? Text.fixed(Json.need(row, side + "_least_ns"), 1)
            + " ("
            + Text.fixed(Json.need(row, side + "_median_of_rounds_ns"), 1)
            + ")"
        : "";
  }
}
