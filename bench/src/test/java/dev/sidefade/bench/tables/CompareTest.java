package dev.sidefade.bench.tables;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.sidefade.tensor.CounterRandom;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What became slower is told from noise. */
class CompareTest {
  @TempDir Path folder;

  @Test
  void quantilesAreThoseOfTheTable() {
    double[][] table = {
      {1, 12.706}, {2, 4.303}, {3, 3.182}, {5, 2.571}, {10, 2.228}, {30, 2.042}, {1000, 1.962}
    };
    for (double[] row : table) {
      assertEquals(row[1], Student.quantile95(row[0]), 6e-4, "degrees of freedom: " + row[0]);
    }
    for (double t : new double[] {0.1, 1, 3, 20}) {
      // one degree of freedom is Cauchy's distribution
      assertEquals(1 - 2 * Math.atan(t) / Math.PI, Student.outside(t, 1), 1e-9);
    }
  }

  @Test
  void theIntervalHoldsTheTruthAsOftenAsItSays() {
    int held = 0;
    int rounds = 2000;
    for (int i = 0; i < rounds; i++) {
      Ratio ratio = Ratio.of(times(2 * i, 8, 100, 0.05), times(2 * i + 1, 5, 120, 0.2));
      if (ratio.low() <= 1.2 && 1.2 <= ratio.high()) {
        held++;
      }
    }
    assertEquals(0.95, (double) held / rounds, 0.015);
  }

  private static double[] times(int stream, int count, double middle, double spread) {
    double[] times = new double[count];
    Arrays.setAll(times, i -> middle * Math.exp(spread * CounterRandom.normal(7, stream, i)));
    return times;
  }

  @Test
  void verdictsNeedTheWholeInterval() {
    double[] old = {100, 101, 99, 100};
    assertEquals(Ratio.Verdict.FASTER, Ratio.of(old, new double[] {80, 81, 79}).verdict());
    assertEquals(Ratio.Verdict.SLOWER, Ratio.of(old, new double[] {110, 111, 109}).verdict());
    assertEquals(Ratio.Verdict.WITHIN_NOISE, Ratio.of(old, new double[] {80, 150, 100}).verdict());
    assertEquals(Ratio.Verdict.UNKNOWN, Ratio.of(old, new double[] {500}).verdict());
    assertEquals(
        Ratio.Verdict.WITHIN_NOISE, Ratio.of(new double[] {5, 5}, new double[] {5, 5}).verdict());
    assertTrue(Ratio.of(old, new double[] {110, 111, 109}).worseThan(5));
    assertFalse(Ratio.of(old, new double[] {110, 111, 109}).worseThan(15));
    assertFalse(Ratio.of(old, new double[] {80, 150, 100}).worseThan(0));
  }

  private record Outcome(int code, String text) {}

  private Outcome compare(String old, String now, String... more) throws IOException {
    Path before = Files.writeString(folder.resolve("old.json"), old);
    Path after = Files.writeString(folder.resolve("new.json"), now);
    String[] arguments = new String[2 + more.length];
    arguments[0] = before.toString();
    arguments[1] = after.toString();
    System.arraycopy(more, 0, arguments, 2, more.length);
    ByteArrayOutputStream printed = new ByteArrayOutputStream();
    int code = Compare.run(arguments, new PrintStream(printed, true, StandardCharsets.UTF_8));
    return new Outcome(code, printed.toString(StandardCharsets.UTF_8));
  }

  private static String jmh(String method, String samples) {
    return "{\"benchmark\":\"a.b.SomeBenchmark.%s\",\"params\":{\"shape\":\"A\"},\"primaryMetric\":{\"score\":1,\"rawData\":%s}}"
        .formatted(method, samples);
  }

  @Test
  void resultsOfJmhWithAndWithoutTheirMachineAreCompared() throws IOException {
    String old = "[" + jmh("x", "[[10,10.1],[9.9,10]]") + "," + jmh("gone", "[[1,1]]") + "]";
    String now =
        "{\"machine\":{},\"results\":["
            + jmh("x", "[[12,12.1],[11.9,12]]")
            + ","
            + jmh("added", "[[1,1]]")
            + "]}";
    Outcome outcome = compare(old, now, "--fail-above", "10");
    assertEquals(1, outcome.code());
    assertTrue(outcome.text().contains("| SomeBenchmark.x {shape=A} | 1.200 | "), outcome.text());
    assertTrue(outcome.text().contains("slower"), outcome.text());
    assertTrue(outcome.text().contains("SomeBenchmark.gone {shape=A} |  |  | only in the old"));
    assertTrue(outcome.text().contains("SomeBenchmark.added {shape=A} |  |  | only in the new"));
    assertEquals(0, compare(old, now, "--fail-above", "30").code());
    assertEquals(0, compare(old, now).code());
    assertEquals(0, compare(now, old, "--fail-above", "0").code());
  }

  @Test
  void samplesAndPassesAreCompared() throws IOException {
    String of = "{\"results\":[{\"operation\":\"gelu\",\"shape\":\"A\",\"samples_us\":%s}]}";
    Outcome outcome = compare(of.formatted("[5,5.1,4.9]"), of.formatted("[4,4.1,3.9]"));
    assertTrue(outcome.text().contains("| gelu, A | 0.800 |"), outcome.text());
    assertTrue(outcome.text().contains("faster"), outcome.text());
    String passes =
        "{\"results\":[{\"model\":\"x\",\"forward_min_ms\":5},{\"model\":\"x\",\"forward_min_ms\":6}]}";
    assertTrue(compare(passes, passes).text().contains("| x, forward | 1.000 |"));
  }

  @Test
  void whatCannotBeComparedIsSaid() {
    assertThrows(TableException.class, () -> compare("{", "[]"));
    assertThrows(TableException.class, () -> compare("[]", "[]"));
    assertThrows(TableException.class, () -> compare("3", "[]"));
    assertThrows(TableException.class, () -> compare("[]", "[]", "--fail-above"));
    assertThrows(TableException.class, () -> compare("[]", "[]", "--fail-above", "-1"));
    assertThrows(TableException.class, () -> compare("[]", "[]", "another.json"));
  }
}
