package dev.sidefade.report;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.sidefade.report.RunReport.Confusion;
import dev.sidefade.report.RunReport.Latency;
import dev.sidefade.report.RunReport.PredictionSample;
import dev.sidefade.report.RunReport.TapSnapshot;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalDouble;
import org.junit.jupiter.api.Test;

class RunReportTest {
  @Test
  void doesNotFollowChangesOfItsSources() {
    long[][] counts = {{1, 2}, {3, 4}};
    Confusion confusion = new Confusion(RunReport.TEST, counts);
    counts[0][0] = 9;
    confusion.counts()[1][1] = 9;
    assertArrayEquals(new long[][] {{1, 2}, {3, 4}}, confusion.counts());

    List<Object> taps = new ArrayList<>(List.of(1));
    Map<String, Object> config = new LinkedHashMap<>(Map.of("taps", taps));
    RunReport report = RunReport.builder("copy").config(config).build();
    taps.add(2);
    config.clear();
    assertEquals(Map.of("taps", List.of(1)), report.config());
    assertThrows(UnsupportedOperationException.class, () -> report.config().put("a", 1));
    assertThrows(UnsupportedOperationException.class, () -> report.notes().add("a"));
  }

  @Test
  void refusesPiecesThatDoNotFit() {
    assertThrows(
        IllegalArgumentException.class, () -> new Confusion("test", new long[][] {{1}, {2}}));
    RunReportBuilder rows =
        RunReport.builder("r").classNames(List.of("a")).confusion("test", new long[2][2]);
    assertThrows(IllegalArgumentException.class, rows::build);
    RunReportBuilder gates =
        RunReport.builder("g")
            .tapNames(List.of("a"))
            .tapSnapshot(new TapSnapshot(1, List.of(0.1, 0.2), OptionalDouble.empty()));
    assertThrows(IllegalArgumentException.class, gates::build);
    assertThrows(
        IllegalArgumentException.class,
        () -> new PredictionSample("not a picture at all, sorry".getBytes(), "a", "a", 1));
  }

  @Test
  void textTableLinesUp() {
    List<String> lines = Headline.asText(SampleReports.full()).lines().toList();
    assertEquals(4, lines.size());
    assertEquals(1, lines.stream().mapToInt(String::length).distinct().count(), lines::toString);
    assertTrue(lines.get(3).startsWith("Faded "));
    assertTrue(lines.get(3).contains("93.1 %"));
  }

  @Test
  void findingsSpeakAgainstFadingToo() {
    RunReport report =
        RunReport.builder("f")
            .accuracy(RunReport.TEST, RunReport.FADED, 0.90)
            .accuracy(RunReport.TEST, RunReport.SIDE, 0.90)
            .accuracy(RunReport.TEST, RunReport.LINEAR_PROBE, 0.90)
            .latency(RunReport.BATCH_1, RunReport.ORIGINAL, new Latency(2, 2, 2))
            .latency(RunReport.BATCH_1, RunReport.FADED, new Latency(2.5, 2, 3))
            .build();
    assertEquals(
        List.of(
            "On the test rows the faded model is level with the linear probe (90.0 % against 90.0"
                + " %).",
            "Keeping the side network would not have been better on the test rows (±0.0 points).",
            "The faded model takes 1.25 times as long as the original backbone at batch 1."),
        Headline.findings(report));
    assertTrue(Headline.findings(RunReport.builder("none").build()).isEmpty());
  }

  @Test
  void unitsForPeople() {
    assertEquals("999 B", Units.bytes(999));
    assertEquals("0.977 KiB", Units.bytes(1000));
    assertEquals("1.5 MiB", Units.bytes(3 << 19));
    assertEquals("8 EiB", Units.bytes(Long.MAX_VALUE));
    assertEquals("-1,234,567", Units.count(-1_234_567));
    assertEquals("123", Units.count(123));
    assertEquals("59.9 s", Units.duration(59.9));
    assertEquals("2 min 41 s", Units.duration(161));
    assertEquals("1 h 1 min", Units.duration(3661));
    assertEquals("–", Units.duration(Double.NaN));
    assertEquals("−1.2", Units.points(-0.012));
    assertFalse(Units.percent(Double.NaN).contains("NaN"));
  }
}
