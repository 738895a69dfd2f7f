package dev.sidefade.cli;

import dev.sidefade.AdaptConfig;
import java.nio.file.Path;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** What is adapted to what, and how: the options that {@code adapt} and {@code compare} share. */
final class MethodOptions {
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
      description = {
        "Labelled examples. Images: a folder with one sub-folder of images per class, an IDX images"
            + " file (its labels beside it, or IMAGES,LABELS), or a list file of 'path label'"
            + " lines.",
        "Texts: a TSV or CSV file with the columns text, label and, for pairs, text_b. Words with"
            + " tags: a CoNLL file."
      })
  private String train;

  @Mixin private TaskOptions task = new TaskOptions();

  @Mixin private DataOptions data = new DataOptions();

  @Mixin private NetworkOptions networks = new NetworkOptions();

  @Mixin private PathOptions paths = new PathOptions();

  @Mixin private TrainingOptions training = new TrainingOptions();

  void applyTo(AdaptConfig.Builder builder) {
    builder.backbone(backbone).train(train);
    task.applyTo(builder);
    data.applyTo(builder);
    networks.applyTo(builder);
    paths.applyTo(builder);
    training.applyTo(builder);
  }
}
