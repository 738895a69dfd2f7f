package dev.sidefade.cli;

import java.io.PrintWriter;
import java.util.Locale;
import java.util.function.LongSupplier;

/**
 * Progress for log files: a line when a phase starts, at every tenth of it, and when it is over.
 */
final class PlainProgress implements Progress {
  private static final int PARTS = 10;
  private static final double NANOS = 1e9;

  /** Short phases are not worth more than their start and end. */
  private static final long QUIET_NANOS = 2_000_000_000L;

  private final PrintWriter err;
  private final LongSupplier clock;
  private String phase = "";
  private long steps;
  private long started;
  private long partsShown;
  private long lastLine;

  PlainProgress(PrintWriter err) {
    this(err, System::nanoTime);
  }

  /** With a clock that tells nanoseconds. */
  PlainProgress(PrintWriter err, LongSupplier clock) {
    this.err = err;
    this.clock = clock;
  }

  @Override
  public void phase(String name, long stepCount) {
    phase = name;
    steps = stepCount;
    started = clock.getAsLong();
    partsShown = 0;
    line(phase + (steps > 1 ? ": " + steps + " steps" : ""));
  }

  @Override
  public void step(long done, String detail) {
    if (steps < PARTS || done >= steps) {
      return;
    }
    long parts = done * PARTS / steps;
    if (parts > partsShown && clock.getAsLong() - lastLine >= QUIET_NANOS) {
      partsShown = parts;
      line("%s: %d of %d%s".formatted(phase, done, steps, detail.isEmpty() ? "" : ", " + detail));
    }
  }

  @Override
  public void phaseDone() {
    double seconds = (clock.getAsLong() - started) / NANOS;
    line(String.format(Locale.ROOT, "%s: done in %.1f s", phase, seconds));
  }

  @Override
  public void note(String message) {
    line("note: " + message);
  }

  @Override
  public void close() {
    err.flush();
  }

  private void line(String text) {
    err.println(text);
    err.flush();
    lastLine = clock.getAsLong();
  }
}
