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
  @Option(
      names = "--backbone",
      required = true,
      paramLabel = "B.onnx",
      description = "The pretrained model, as PyTorch exports it (not optimised, not quantised).")
  private Path backbone;

  @Option(
      names = "--train",
      required = true,
      paramLabel = "SRC",
      description =
          "Labelled examples. SRC is a folder with one sub-folder of images per class, an IDX"
              + " images file (its labels beside it, or IMAGES,LABELS), or a list file of 'path"
              + " label' lines.")
  private String train;

  @Option(
      names = "--out",
      required = true,
      paramLabel = "DIR",
      description =
          "Folder of the results: model.onnx, delta.safetensors, metrics.json, report.html. It must"
              + " be empty or not exist, unless --resume is given.")
  private Path out;

  @Mixin private DataOptions data = new DataOptions();

  @Mixin private NetworkOptions networks = new NetworkOptions();

  @Mixin private PathOptions paths = new PathOptions();

  @Mixin private TrainingOptions training = new TrainingOptions();

  @Mixin private RunOptions run = new RunOptions();

  /**
   * What the options mean.
   *
   * @throws dev.sidefade.tensor.BadInputException if a value cannot work, naming it
   */
  AdaptConfig toConfig() {
    AdaptConfig.Builder builder = AdaptConfig.builder().backbone(backbone).train(train).out(out);
    data.applyTo(builder);
    networks.applyTo(builder);
    paths.applyTo(builder);
    training.applyTo(builder);
    run.applyTo(builder);
    return builder.build();
  }

  /** Whether the standard output is for a program. */
  boolean json() {
    return run.json();
  }
}
