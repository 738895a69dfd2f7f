package dev.sidefade.soak;

import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.lang.management.MemoryUsage;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.ToLongFunction;

/**
 * Memory of this process over time: Java's heap after a full collection, the rest of what Java
 * manages (classes and compiled code), and what is resident. The JVM is started with a heap of
 * fixed size that is touched at the start, so that what grows in the resident set is not heap.
 */
final class MemorySamples {
  private static final Path STATUS = Path.of("/proc/self/status");

  /**
   * One look.
   *
   * @param seconds since the start
   * @param done steps or runs until then
   * @param heap live bytes of Java's heap
   * @param managed bytes of classes and compiled code
   * @param resident bytes of the process, -1 where the system does not say
   */
  private record Sample(double seconds, long done, long heap, long managed, long resident) {}

  private final long start = System.nanoTime();
  private final List<Sample> samples = new ArrayList<>();

  double seconds() {
    return (System.nanoTime() - start) / 1e9;
  }

  double sinceLast() {
    return samples.isEmpty() ? Double.POSITIVE_INFINITY : seconds() - samples.getLast().seconds();
  }

  void take(long done) throws IOException {
    System.gc();
    MemoryUsage heap = ManagementFactory.getMemoryMXBean().getHeapMemoryUsage();
    MemoryUsage managed = ManagementFactory.getMemoryMXBean().getNonHeapMemoryUsage();
    samples.add(new Sample(seconds(), done, heap.getUsed(), managed.getUsed(), resident()));
  }

  private static long resident() throws IOException {
    if (!Files.isReadable(STATUS)) {
      return -1;
    }
    for (String line : Files.readAllLines(STATUS)) {
      if (line.startsWith("VmRSS:")) {
        return 1024 * Long.parseLong(line.replaceAll("[^0-9]", ""));
      }
    }
    return -1;
  }

  /**
   * Medians of the third and the last quarter of the samples, and their difference: what comes
   * before is warm-up.
   */
  private JsonObject growth(ToLongFunction<Sample> value) {
    int n = samples.size();
    JsonObject growth = new JsonObject();
    long before = median(samples.subList(n / 2, 3 * n / 4), value);
    long after = median(samples.subList(3 * n / 4, n), value);
    growth.addProperty("third_quarter_median_bytes", before);
    growth.addProperty("last_quarter_median_bytes", after);
    growth.addProperty("growth_bytes", after - before);
    return growth;
  }

  private static long median(List<Sample> of, ToLongFunction<Sample> value) {
    long[] sorted = of.stream().mapToLong(value).sorted().toArray();
    return sorted.length == 0 ? 0 : sorted[sorted.length / 2];
  }

  /** What was seen, as JSON; needs at least eight samples to say anything about growth. */
  void addTo(JsonObject report) {
    report.addProperty("seconds", seconds());
    report.addProperty("samples_taken", samples.size());
    report.add("java_heap_live", growth(Sample::heap));
    report.add("java_classes_and_code", growth(Sample::managed));
    report.add("resident", growth(Sample::resident));
    JsonArray all = new JsonArray();
    for (Sample sample : samples) {
      JsonArray row = new JsonArray();
      row.add(Math.round(sample.seconds() * 10) / 10.0);
      Arrays.asList(sample.done(), sample.heap(), sample.managed(), sample.resident())
          .forEach(row::add);
      all.add(row);
    }
    JsonArray columns = new JsonArray();
    List.of("seconds", "done", "heap_bytes", "classes_and_code_bytes", "resident_bytes")
        .forEach(columns::add);
    report.add("columns", columns);
    report.add("samples", all);
  }
}
