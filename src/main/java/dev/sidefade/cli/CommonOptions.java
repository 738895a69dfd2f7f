package dev.sidefade.cli;

import picocli.CommandLine.Option;

/** What every command understands. */
final class CommonOptions {
  /** Whether to show the help and nothing else. */
  @Option(
      names = {"-h", "--help"},
      usageHelp = true,
      order = 1000,
      description = "Show this help and exit.")
  @SuppressWarnings("unused") // picocli fills it
  private boolean help;

  /** Read by {@link Failures} from the arguments, so that it holds for errors of parsing too. */
  @Option(
      names = Failures.VERBOSE,
      order = 1001,
      description = "Show the stack trace when something fails.")
  @SuppressWarnings("unused") // picocli fills it
  private boolean verbose;
}
