package dev.sidefade.cli;

import dev.sidefade.tensor.BadInputException;
import picocli.CommandLine.Option;

/** How many processors a command may use. */
final class ThreadOptions {
  @Option(
      names = "--threads",
      paramLabel = "N",
      defaultValue = "0",
      description = "Threads of the CPU; 0 = all processors (default: ${DEFAULT-VALUE}).")
  private int threads;

  /** The number of threads, 0 for all processors. */
  int count() {
    if (threads < 0) {
      throw new BadInputException("--threads must be 0 (all processors) or more, got " + threads);
    }
    return threads;
  }
}
