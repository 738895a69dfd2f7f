package dev.sidefade.report;

import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import dev.sidefade.report.CompareReport.Variant;
import dev.sidefade.tensor.AtomicFile;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/**
 * The files of a comparison: {@code compare.json} for programs, {@code compare.md} to be pasted,
 * {@code compare.html} for people. Each appears whole or not at all.
 *
 * <p>{@code compare.json} has {@code title}, {@code score}, {@code split}, {@code seeds}, {@code
 * runs_finished}, {@code runs_wanted}, {@code findings}, {@code config}, {@code versions} and
 * {@code variants}: of each {@code name}, {@code description}, {@code network}, {@code {mean,
 * standard_deviation, count}} of {@code score}, {@code side_score}, {@code parameters}, {@code
 * memory_bytes}, {@code seconds}, {@code latency_ms_batch1} and {@code latency_ms_batch32}, and
 * {@code runs} with {@code seed}, {@code val}, {@code test} and {@code seconds}. What was not
 * measured is null.
 */
public final class CompareFiles {
  /** Name of the file for programs. */
  public static final String JSON = "compare.json";

  /** Name of the file to be pasted. */
  public static final String MARKDOWN = "compare.md";

  /** Name of the file for people. */
  public static final String HTML = "compare.html";

  /** Names of all three. */
  public static final List<String> NAMES = List.of(JSON, MARKDOWN, HTML);

  private CompareFiles() {}

  /**
   * Writes all three into {@code folder}, which must exist.
   *
   * @param report what is to be told
   * @param folder an existing folder
   * @throws IOException if a file cannot be written
   */
  public static void write(CompareReport report, Path folder) throws IOException {
    write(toJson(report), folder.resolve(JSON));
    write(CompareTable.asMarkdown(report), folder.resolve(MARKDOWN));
    write(CompareHtml.toHtml(report), folder.resolve(HTML));
  }

  private static void write(String text, Path file) throws IOException {
    byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
    AtomicFile.write(file, path -> Files.write(path, bytes));
  }

  /**
   * {@return the comparison as indented JSON text}
   *
   * @param report what is to be told
   */
  public static String toJson(CompareReport report) {
    JsonObject json = new JsonObject();
    json.addProperty("title", report.title());
    json.addProperty("score", report.scoreName());
    json.addProperty("split", report.split());
    json.add("seeds", JsonTree.of(report.seeds()));
    json.addProperty("runs_finished", report.finished());
    json.addProperty("runs_wanted", report.wanted());
    JsonArray variants = new JsonArray();
    report.variants().forEach(variant -> variants.add(variant(report, variant)));
    json.add("variants", variants);
    json.add("findings", JsonTree.of(CompareFindings.of(report)));
    json.add("config", JsonTree.of(report.config()));
    json.add("versions", JsonTree.of(report.environment()));
    return JsonTree.print(json);
  }

  private static JsonObject variant(CompareReport report, Variant variant) {
    JsonObject json = new JsonObject();
    json.addProperty("name", variant.name());
    json.addProperty("description", variant.description());
    json.addProperty("network", variant.network());
    json.add("score", statistic(variant.score(report.split())));
    json.add("side_score", statistic(variant.sideScore(report.split())));
    json.add("parameters", statistic(variant.parameters()));
    json.add("memory_bytes", statistic(variant.memory()));
    json.add("seconds", statistic(variant.seconds()));
    for (String batch : List.of(RunReport.BATCH_1, RunReport.BATCH_32)) {
      json.add("latency_ms_" + batch, statistic(variant.latency(batch)));
    }
    JsonArray runs = new JsonArray();
    for (RunMetrics run : variant.runs()) {
      JsonObject one = new JsonObject();
      one.addProperty("seed", run.seed());
      for (String split : List.of(RunReport.VAL, RunReport.TEST)) {
        one.add(split, JsonTree.of(run.score(split, variant.network())));
      }
      one.add("seconds", JsonTree.of(run.seconds()));
      runs.add(one);
    }
    json.add("runs", runs);
    return json;
  }

  private static JsonObject statistic(Statistic statistic) {
    JsonObject json = new JsonObject();
    json.add("mean", JsonTree.of(statistic.mean()));
    json.add("standard_deviation", JsonTree.of(statistic.deviation()));
    json.addProperty("count", statistic.count());
    return json;
  }
}
