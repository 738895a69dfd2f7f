package dev.sidefade.cli;

import dev.sidefade.AdaptConfig;
import java.nio.file.Path;
import picocli.CommandLine.Option;

/** What computes, and options about options: shared by {@code adapt} and {@code compare}. */
final class MachineOptions {
  @Option(
      names = "--device",
      paramLabel = "cpu|cuda|auto",
      description = "Where the side network is trained (default: ${DEFAULT-VALUE}).")
  private DeviceChoice device;

  @Option(
      names = "--threads",
      paramLabel = "N",
      description = "Threads of the CPU; 0 = all processors (default: ${DEFAULT-VALUE}).")
  private int threads;

  /**
   * Read by {@link ConfigFile} before the parsing; here so that the help and the parsing know it.
   */
  @Option(
      names = "--config",
      paramLabel = "FILE",
      description =
          "Options in a file, JSON or Java properties, with the names above without dashes. The"
              + " command line wins.")
  @SuppressWarnings("unused") // picocli fills it
  private Path config;

  /** As in {@link CommonOptions}, here so that the help lists it with the others of this kind. */
  @Option(
      names = {"-h", "--help"},
      usageHelp = true,
      description = "Show this help and exit.")
  @SuppressWarnings("unused") // picocli fills it
  private boolean help;

  /** Likewise; read by {@link Failures} from the arguments. */
  @Option(names = Failures.VERBOSE, description = "Show the stack trace when something fails.")
  @SuppressWarnings("unused") // picocli fills it
  private boolean verbose;

  void applyTo(AdaptConfig.Builder builder) {
    builder.device(Choice.text(device)).threads(threads);
  }
}
