package dev.sidefade.cli;

import dev.sidefade.AdaptConfig;
import dev.sidefade.TaskKind;
import java.nio.file.Path;
import picocli.CommandLine.Option;

/** What the examples are, and how texts become tokens. */
final class TaskOptions {
  @Option(
      names = "--task",
      paramLabel = "image|text|regression|tokens",
      description =
          "A class for each image, a class for each text or pair of texts, a number for each text"
              + " or pair, or a class for each word (default: ${DEFAULT-VALUE}).")
  private TaskKind task;

  @Option(
      names = "--tokenizer",
      paramLabel = "FILE",
      description = "The tokenizer.json that belongs to a text backbone; needed for all texts.")
  private Path tokenizer;

  @Option(
      names = "--max-length",
      paramLabel = "N",
      description =
          "Tokens after which texts are cut, with a count; 0 = the length that the tokenizer names,"
              + " else 512, and never more than the backbone allows (default: ${DEFAULT-VALUE}).")
  private int maxLength;

  void applyTo(AdaptConfig.Builder builder) {
    builder.task(task).maxLength(maxLength);
    if (tokenizer != null) {
      builder.tokenizer(tokenizer);
    }
  }
}
