package dev.sidefade.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import dev.sidefade.kernels.Device;
import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

/** A table of times that add up, whatever the machine. */
class BenchCommandTest {
  private static Cli.Outcome quick(String... more) {
    String[] quick = {"bench", "--seconds", "0.01", "--copy-mib", "8", "--threads", "2"};
    String[] all = new String[quick.length + more.length];
    System.arraycopy(quick, 0, all, 0, quick.length);
    System.arraycopy(more, 0, all, quick.length, more.length);
    return Cli.run(all);
  }

  @Test
  void everyOperationIsInTheJsonWithItsSamples() {
    Cli.Outcome outcome = quick("--json");
    assertEquals(0, outcome.code(), outcome.err());
    JsonObject report = JsonParser.parseString(outcome.out()).getAsJsonObject();
    assertEquals(2, report.getAsJsonObject("machine").get("threads").getAsInt());
    Set<String> seen = new HashSet<>();
    for (JsonElement element : report.getAsJsonArray("results")) {
      JsonObject result = element.getAsJsonObject();
      String name = result.get("operation").getAsString() + " " + result.get("shape").getAsString();
      assertTrue(seen.add(name), name);
      double median = result.get("median_us").getAsDouble();
      assertTrue(result.get("quartile_1_us").getAsDouble() <= median, name);
      assertTrue(median <= result.get("quartile_3_us").getAsDouble(), name);
      JsonArray samples = result.getAsJsonArray("samples_us");
      assertTrue(samples.size() >= 5 && samples.get(0).getAsDouble() > 0, name);
      // one of the two rates, by what bounds the operation
      assertTrue(result.get("gflop_per_s").isJsonNull() != result.get("gb_per_s").isJsonNull());
      assertEquals(result.get("gb_per_s").isJsonNull(), result.get("of_copy_rate").isJsonNull());
    }
    Set<String> names = new HashSet<>(Set.of("copy"));
    names.addAll(BenchOperations.NAMES);
    assertEquals(
        names,
        seen.stream()
            .map(name -> name.substring(0, name.indexOf(' ')))
            .collect(Collectors.toSet()));
    for (String wanted :
        List.of(
            "copy 8 MiB",
            "layerNorm demo",
            "attention minilm",
            "adapterBackward vit-b",
            "featureMatching vit-b",
            "logitDistillation 4096x1000",
            "adamw 3000000")) {
      assertTrue(seen.contains(wanted), seen.toString());
    }
  }

  @Test
  void peopleGetALinePerOperationOfTheShapesThatTheyName() {
    Cli.Outcome outcome = quick("--shape", "demo");
    assertEquals(0, outcome.code(), outcome.err());
    List<String> lines = outcome.out().lines().toList();
    assertTrue(lines.getFirst().startsWith("cpu, 2 threads"), lines.getFirst());
    assertTrue(
        lines.stream().anyMatch(line -> line.matches("gelu +demo +[0-9.]+ .* [0-9.]+ +[0-9]+ %")),
        outcome.out());
    assertTrue(lines.stream().noneMatch(line -> line.contains("vit-b")), outcome.out());
  }

  @Test
  void onlyTheOperationsThatAreNamed() {
    Cli.Outcome outcome = quick("--shape", "minilm", "--operation", "gelu,adamw");
    assertEquals(0, outcome.code(), outcome.err());
    assertEquals(
        List.of("copy", "gelu", "adamw"),
        outcome.out().lines().skip(3).map(line -> line.substring(0, line.indexOf(' '))).toList());
    assertTrue(quick("--operation", "gelu,relu").refusal().contains("featureMatching"));
  }

  @Test
  void whatCannotBeMeasuredIsRefused() {
    assertTrue(quick("--seconds", "0").refusal().contains("--seconds"));
    assertTrue(quick("--seconds", "NaN").refusal().contains("--seconds"));
    assertTrue(quick("--copy-mib", "0").refusal().contains("--copy-mib"));
    assertTrue(quick("--threads", "-1").refusal().contains("--threads"));
    assertEquals(2, quick("--shape", "huge").code());
  }

  @Test
  void samplesAreTheTimeOfOneCall() {
    try (Device device = Device.cpu(1);
        BenchTimer timer = new BenchTimer(device, Duration.ofMillis(60))) {
      double[] micros = timer.measure(() -> sleep(2));
      assertTrue(micros[0] >= 2000, "the least is " + micros[0]);
      assertTrue(micros.length >= 5);
    }
    double[] sorted = {1, 2, 3, 4, 10};
    assertEquals(3, BenchTimer.quantile(sorted, 0.5));
    assertEquals(2, BenchTimer.quantile(sorted, 0.25));
    assertEquals(10, BenchTimer.quantile(sorted, 1));
    assertEquals(2.5, BenchTimer.quantile(new double[] {2, 3}, 0.5));
  }

  @Test
  void allAreWarmedUpAndTheCompilerComesToAnEnd() {
    AtomicInteger first = new AtomicInteger();
    AtomicInteger second = new AtomicInteger();
    try (Device device = Device.cpu(1);
        BenchTimer timer = new BenchTimer(device, Duration.ofMillis(30))) {
      timer.warmUp(List.of(first::incrementAndGet, second::incrementAndGet));
      timer.warmUp(List.of());
    }
    assertTrue(first.get() > 0 && second.get() > 0, first + " and " + second);
  }

  private static void sleep(long millis) {
    try {
      Thread.sleep(millis);
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }
}
