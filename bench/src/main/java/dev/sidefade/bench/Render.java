package dev.sidefade.bench;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Map;

/** Turns JMH's JSON into a Markdown table with GFLOP/s or GB/s: {@code Render RESULTS.json}. */
public final class Render {
  private Render() {}

  /** Prints the table. */
  public static void main(String[] arguments) throws IOException {
    JsonArray results =
        JsonParser.parseString(Files.readString(Path.of(arguments[0]))).getAsJsonArray();
    PrintStream out = new PrintStream(System.out, true, StandardCharsets.UTF_8);
    if (!results.isEmpty()) {
      JsonObject first = results.get(0).getAsJsonObject();
      out.printf(
          "JMH %s, %s %s, %d forks; %d + %d iterations%n%n",
          first.get("jmhVersion").getAsString(),
          first.get("vmName").getAsString(),
          first.get("vmVersion").getAsString(),
          first.get("forks").getAsInt(),
          first.get("warmupIterations").getAsInt(),
          first.get("measurementIterations").getAsInt());
    }
    out.println("| operation | shape | threads | us | +- | GFLOP/s | GB/s | allocated B/op |");
    out.println("| --- | --- | --- | ---: | ---: | ---: | ---: | ---: |");
    for (JsonElement result : results) {
      out.println(row(result.getAsJsonObject()));
    }
  }

  static String row(JsonObject result) {
    String[] name = result.get("benchmark").getAsString().split("\\.", -1);
    String operation = name[name.length - 1];
    JsonObject params = result.getAsJsonObject("params");
    String shape = params.has("shape") ? params.get("shape").getAsString() : "";
    Work work = Work.of(name[name.length - 2], operation, shape);
    if (params.has("features")) {
      operation += params.get("features").getAsBoolean() ? " with features" : " without features";
    }
    JsonObject metric = result.getAsJsonObject("primaryMetric");
    double micros = metric.get("score").getAsDouble();
    boolean rated = !operation.endsWith("with features");
    return String.join(
        " | ",
        "| " + operation,
        shape,
        params.get("threads").getAsString(),
        number(micros),
        error(metric),
        rated && work.flops() > 0 ? number(work.flops() / micros / 1e3) : "",
        rated && work.bytes() > 0 ? number(work.bytes() / micros / 1e3) : "",
        allocation(result.getAsJsonObject("secondaryMetrics")) + " |");
  }

  /** JMH writes "NaN" where there was one iteration. */
  private static String error(JsonObject metric) {
    JsonElement error = metric.get("scoreError");
    return error.getAsString().equals("NaN") ? "" : number(error.getAsDouble());
  }

  private static String allocation(JsonObject metrics) {
    for (Map.Entry<String, JsonElement> metric : metrics.entrySet()) {
      if (metric.getKey().endsWith("gc.alloc.rate.norm")) {
        return number(metric.getValue().getAsJsonObject().get("score").getAsDouble());
      }
    }
    return "";
  }

  /** Three significant digits. */
  private static String number(double value) {
    int decimals = value >= 100 ? 0 : value >= 10 ? 1 : 2;
    return String.format(Locale.ROOT, "%." + decimals + "f", value);
  }
}
