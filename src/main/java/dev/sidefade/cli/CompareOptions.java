package dev.sidefade.cli;

import dev.sidefade.AdaptConfig;
import dev.sidefade.CompareConfig;
import dev.sidefade.CompareVariant;
import dev.sidefade.tensor.BadInputException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** The options of {@code compare}; defaults as those of {@link AdaptOptions}. */
final class CompareOptions {
  private static final String ALL = "all";

  @Mixin private MethodOptions method = new MethodOptions();

  @Option(
      names = "--out",
      required = true,
      paramLabel = "DIR",
      description =
          "Folder of the comparison: compare.html, compare.md, compare.json and VARIANT/seed-N with"
              + " what adapt writes. What is in it already is not run again.")
  private Path out;

  @Mixin private CompareRunOptions run = new CompareRunOptions();

  /** How a comparison takes place. */
  static final class CompareRunOptions {
    @Option(
        names = "--seeds",
        paramLabel = "LIST|COUNT",
        defaultValue = "0,1,2",
        description =
            "Seeds such as 0,1,2 or 3-5; a number alone counts them from 0"
                + " (default: ${DEFAULT-VALUE}).")
    private SeedList seeds;

    @Option(
        names = "--variants",
        paramLabel = "LIST",
        defaultValue = ALL,
        description =
            "What is compared: linear-probe, norms-ce, norms-smoothing, side-kept, faded-norms,"
                + " low-rank-ce, faded-low-rank, self-taught, separated by commas, or all"
                + " (default: ${DEFAULT-VALUE}).")
    private String variants;

    @Option(
        names = "--json",
        fallbackValue = "true",
        description = "Print compare.json at the end, and nothing else, on the standard output.")
    private boolean json;

    @Mixin private MachineOptions machine = new MachineOptions();
  }

  /**
   * What the options mean.
   *
   * @throws BadInputException if a value cannot work, naming it
   */
  CompareConfig toConfig() {
    AdaptConfig.Builder builder = AdaptConfig.builder().out(out);
    method.applyTo(builder);
    run.machine.applyTo(builder);
    AdaptConfig shared = builder.build();
    if (run.variants.strip().equals(ALL)) {
      return CompareConfig.of(shared, run.seeds.seeds());
    }
    List<CompareVariant> variants =
        Arrays.stream(run.variants.split(",", -1)).map(CompareVariant::parse).toList();
    return new CompareConfig(shared, run.seeds.seeds(), variants);
  }

  /** Whether the standard output is for a program. */
  boolean json() {
    return run.json;
  }
}
