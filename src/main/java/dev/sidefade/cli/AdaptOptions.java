package dev.sidefade.cli;

import dev.sidefade.AdaptConfig;
import java.nio.file.Path;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/**
 * The options of {@code adapt}. Their defaults come from {@link AdaptDefaults}, so every field is
 * set after parsing but those whose option has no default.
 */
final class AdaptOptions {
  @Mixin private MethodOptions method = new MethodOptions();

  @Option(
      names = "--out",
      required = true,
      paramLabel = "DIR",
      description =
          "Folder of the results: model.onnx, delta.safetensors, metrics.json, report.html. It must"
              + " be empty or not exist, unless --resume is given.")
  private Path out;

  @Mixin private ExportOptions exports = new ExportOptions();

  @Mixin private RunOptions run = new RunOptions();

  /**
   * What the options mean.
   *
   * @throws dev.sidefade.tensor.BadInputException if a value cannot work, naming it
   */
  AdaptConfig toConfig() {
    AdaptConfig.Builder builder = AdaptConfig.builder().out(out);
    method.applyTo(builder);
    exports.applyTo(builder);
    run.applyTo(builder);
    return builder.build();
  }

  /** Whether the standard output is for a program. */
  boolean json() {
    return run.json();
  }
}
