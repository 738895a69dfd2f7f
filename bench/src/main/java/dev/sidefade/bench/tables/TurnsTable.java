package dev.sidefade.bench.tables;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.stream.Collectors;

/**
 * {@code step}: a training step in turn with PyTorch's, from the file of {@code bench/step}: time
 * and growth of the resident set, a row per case.
 */
final class TurnsTable {
  private static final double MIB = 1 << 20;

  private TurnsTable() {}

  /** What the processes of a side measured of one case. */
  private record Side(List<JsonObject> processes) {
    double mean(String figure) {
      return processes.stream().mapToDouble(p -> Json.need(p, figure)).average().orElseThrow();
    }

    double least(String figure) {
      return processes.stream().mapToDouble(p -> Json.need(p, figure)).min().orElseThrow();
    }

    double most(String figure) {
      return processes.stream().mapToDouble(p -> Json.need(p, figure)).max().orElseThrow();
    }

    /** Mean of the processes' medians, and the least and largest of them. */
    String millis() {
      return Text.fixed(mean("median_ms"), 1)
          + " ("
          + Text.fixed(least("median_ms"), 1)
          + " to "
          + Text.fixed(most("median_ms"), 1)
          + ")";
    }
  }

  static List<String> lines(Block block) throws IOException {
    JsonElement file = block.file(0);
    Map<String, Side> ours = sides(Json.at(file, "sidefade"));
    Map<String, Side> peers = sides(Json.at(file, "results"));
    List<String> lines = new ArrayList<>();
    lines.add(
        "| | Sidefade, ms | PyTorch eager, ms | ratio | resident, MiB: Sidefade / PyTorch | ratio"
            + " | kept, MiB: Sidefade / PyTorch |");
    lines.add(Text.rule(1, 6));
    ours.forEach((name, our) -> lines.add(row(name, our, faster(peers.get(name)))));
    return lines;
  }

  /** Milliseconds of Sidefade and of PyTorch by case. */
  static Map<String, double[]> millis(Block block) throws IOException {
    Map<String, Side> peers = sides(Json.at(block.file(0), "results"));
    Map<String, double[]> rows = new LinkedHashMap<>();
    sides(Json.at(block.file(0), "sidefade"))
        .forEach((name, our) ->
            rows.put(
                name,
                new double[] {our.mean("median_ms"), faster(peers.get(name)).mean("median_ms")}));
    return rows;
  }

  private static String row(String name, Side our, Side peer) {
    double resident = our.most("rss_increase_bytes") / MIB;
    double peerResident = peer.least("rss_increase_bytes") / MIB;
    return Text.row(
        name,
        our.millis(),
        peer.millis(),
        Text.fixed(our.mean("median_ms") / peer.mean("median_ms"), 2),
        Text.fixed(resident, 0) + " / " + Text.fixed(peerResident, 0),
        Text.fixed(resident / peerResident, 2),
        Text.fixed(our.most("kept_bytes") / MIB, 1)
            + " / "
            + Text.fixed(peer.least("kept_bytes") / MIB, 1));
  }

  private static Map<String, Side> sides(JsonElement processes) {
    Map<String, List<JsonObject>> cases =
        processes.getAsJsonArray().asList().stream()
            .map(JsonElement::getAsJsonObject)
            .collect(
                Collectors.groupingBy(TurnsTable::name, LinkedHashMap::new, Collectors.toList()));
    Map<String, Side> sides = new LinkedHashMap<>();
    cases.forEach((name, of) -> sides.put(name, new Side(of)));
    return sides;
  }

  private static String name(JsonObject process) {
    boolean features = Boolean.parseBoolean(Json.text(process, "features"));
    return Json.text(process, "shape") + (features ? " with the feature path" : "");
  }

  /** Of PyTorch's optimizers the one whose processes were faster. */
  private static Side faster(Side side) {
    Function<JsonObject, String> optimizer = process -> Json.text(process, "optimizer");
    return side.processes.stream().collect(Collectors.groupingBy(optimizer)).values().stream()
        .map(Side::new)
        .min(Comparator.comparingDouble(s -> s.mean("median_ms")))
        .orElseThrow();
  }
}
