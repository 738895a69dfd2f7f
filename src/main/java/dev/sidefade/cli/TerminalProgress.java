package dev.sidefade.cli;

import java.io.PrintWriter;
import java.util.Optional;
import me.tongfei.progressbar.DelegatingProgressBarConsumer;
import me.tongfei.progressbar.ProgressBar;
import me.tongfei.progressbar.ProgressBarBuilder;
import me.tongfei.progressbar.ProgressBarStyle;

/** Progress for people: one bar for each phase, drawn over itself. */
final class TerminalProgress implements Progress {
  private static final int WIDTH = 79;
  private static final int REDRAW_MILLIS = 200;

  private final PrintWriter err;
  private Optional<ProgressBar> bar = Optional.empty();

  TerminalProgress(PrintWriter err) {
    this.err = err;
  }

  @Override
  public void phase(String name, long steps) {
    close();
    bar =
        Optional.of(
            new ProgressBarBuilder()
                .setTaskName(name)
                // a maximum below zero is a bar without an end
                .setInitialMax(steps > 0 ? steps : -1)
                .setStyle(ProgressBarStyle.ASCII)
                .setUpdateIntervalMillis(REDRAW_MILLIS)
                .setConsumer(new DelegatingProgressBarConsumer(this::draw, WIDTH))
                .build());
  }

  @Override
  public void step(long done, String detail) {
    bar.ifPresent(drawn -> {
      drawn.stepTo(done);
      drawn.setExtraMessage(detail);
    });
  }

  @Override
  public void phaseDone() {
    close();
  }

  @Override
  public void note(String message) {
    // the bar's own thread draws too, so both hold the writer's lock
    synchronized (err) {
      err.print('\r' + " ".repeat(bar.isPresent() ? WIDTH : 0) + '\r');
      err.println("note: " + message);
      err.flush();
    }
  }

  @Override
  public void close() {
    bar.ifPresent(drawn -> {
      drawn.close();
      synchronized (err) {
        err.println();
        err.flush();
      }
    });
    bar = Optional.empty();
  }

  private void draw(String line) {
    synchronized (err) {
      err.print('\r' + line + " ".repeat(Math.max(0, WIDTH - line.length())));
      err.flush();
    }
  }
}
