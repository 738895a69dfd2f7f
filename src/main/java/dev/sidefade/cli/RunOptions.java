package dev.sidefade.cli;

import dev.sidefade.AdaptConfig;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Where and how a run of {@code adapt} takes place. */
final class RunOptions {
  @Option(
      names = "--seed",
      paramLabel = "N",
      description =
          "Of all random numbers: the same seed gives the same model (default: ${DEFAULT-VALUE}).")
  private long seed;

  @Option(
      names = "--resume",
      fallbackValue = "true",
      description = "Go on from the last checkpoint in the folder of the results.")
  private boolean resume;

  @Option(
      names = "--json",
      fallbackValue = "true",
      description = "Print metrics.json at the end, and nothing else, on the standard output.")
  private boolean json;

  @Mixin private MachineOptions machine = new MachineOptions();

  void applyTo(AdaptConfig.Builder builder) {
    builder.seed(seed).resume(resume);
    machine.applyTo(builder);
  }

  boolean json() {
    return json;
  }
}
