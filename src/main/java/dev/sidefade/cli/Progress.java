package dev.sidefade.cli;

import dev.sidefade.ProgressListener;
import java.io.Console;
import java.io.PrintWriter;

/**
 * A listener that shows progress: bars for people who look at a terminal, plain lines for
 * everything else.
 */
interface Progress extends ProgressListener, AutoCloseable {
  /** Ends what is being drawn, also when the work failed. */
  @Override
  void close();

  /** The fitting kind; it writes to {@code err}. */
  @SuppressWarnings("SystemConsoleNull") // Java 25 returns null again where there is no terminal
  static Progress to(PrintWriter err) {
    Console console = System.console();
    return console != null && console.isTerminal()
        ? new TerminalProgress(err)
        : new PlainProgress(err);
  }
}
