package dev.sidefade.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.PrintWriter;
import java.io.StringWriter;
import org.junit.jupiter.api.Test;

/** Progress on a terminal and in a log. */
class ProgressTest {
  private final StringWriter written = new StringWriter();

  /** Runs a phase of 1000 steps that take so long each, and a phase of one step. */
  private long lines(long millisPerStep) {
    long[] now = {0};
    try (Progress progress = new PlainProgress(new PrintWriter(written), () -> now[0])) {
      progress.phase("features", 1000);
      for (int i = 1; i <= 1000; i++) {
        now[0] += millisPerStep * 1_000_000;
        progress.step(i, "");
      }
      progress.phaseDone();
      progress.phase("measuring", 1);
      progress.step(1, "");
      progress.phaseDone();
    }
    return written.toString().lines().count();
  }

  @Test
  void plainLinesOfALongPhaseComeAtEveryTenth() {
    assertEquals(1 + 9 + 1 + 2, lines(1000), written.toString());
    assertTrue(written.toString().contains("features: 300 of 1000\n"), written.toString());
    assertTrue(written.toString().contains("features: done in 1000.0 s\n"), written.toString());
  }

  @Test
  void plainLinesOfAShortPhaseAreItsStartAndEnd() {
    assertEquals(4, lines(1), written.toString());
  }

  @Test
  void plainLinesOfAPhaseOfUnknownLength() {
    try (Progress progress = new PlainProgress(new PrintWriter(written))) {
      progress.phase("searching", 0);
      progress.step(5, "");
      progress.phaseDone();
    }
    assertEquals(2, written.toString().lines().count(), written.toString());
  }

  @Test
  void aBarIsDrawnOverItselfAndEndsItsLine() {
    try (Progress progress = new TerminalProgress(new PrintWriter(written))) {
      progress.phase("training", 40);
      progress.step(20, "loss 0.5");
      progress.note("watch out");
      progress.step(40, "");
      progress.phaseDone();
    }
    String text = written.toString();
    assertTrue(text.contains("\rtraining"), text);
    assertTrue(text.contains("note: watch out\n"), text);
    assertTrue(text.contains("40/40"), text);
    assertTrue(text.endsWith("\n"), text);
    for (String line : text.split("[\r\n]")) {
      assertTrue(line.length() <= 79, line);
    }
  }

  @Test
  void anUnfinishedBarIsClosed() {
    try (Progress progress = new TerminalProgress(new PrintWriter(written))) {
      progress.phase("searching", 0);
      progress.step(3, "");
    }
    assertTrue(written.toString().endsWith("\n"));
    assertFalse(written.toString().isBlank());
  }
}
