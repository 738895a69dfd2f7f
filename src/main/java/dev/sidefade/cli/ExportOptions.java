package dev.sidefade.cli;

import dev.sidefade.AdaptConfig;
import dev.sidefade.export.ExportPlan;
import dev.sidefade.export.Precision;
import java.util.List;
import java.util.Optional;
import picocli.CommandLine.Option;

/** What is written beside the model, for other machines. */
final class ExportOptions {
  @Option(
      names = "--precision",
      split = ",",
      paramLabel = "fp32|fp16|int8",
      defaultValue = "fp32",
      description = {
        "How weights are stored, several separated by commas (default: ${DEFAULT-VALUE}):",
        "fp32: as they were trained. model.onnx always is.",
        "fp16: in model.fp16.onnx, half the size; computed with as fp32.",
        "int8: in model.int8.onnx; linear layers compute with 8-bit integers, convolutions and"
            + " embeddings stay in fp32."
      })
  private List<Precision> precision;

  @Option(
      names = "--opset",
      paramLabel = "N",
      description =
          "Write these precisions in an older opset, from 13, as model.opset13.onnx and the like:"
              + " layer norms and GELUs become chains of older operators (default: the backbone's"
              + " opset).")
  private Integer opset;

  @Option(
      names = "--ort",
      negatable = true,
      fallbackValue = "true",
      defaultValue = "false",
      description =
          "Write fp32 and int8 in ONNX Runtime's own format too, as model.ort and model.int8.ort."
              + " Such a file holds optimisations for the processor of this machine: make it where"
              + " it is used (default: ${DEFAULT-VALUE}).")
  private boolean ort;

  void applyTo(AdaptConfig.Builder builder) {
    builder.precision(precision).ort(ort);
    if (opset != null) {
      builder.opset(opset);
    }
  }

  /**
   * What the options mean.
   *
   * @throws dev.sidefade.tensor.BadInputException if that cannot be had
   */
  ExportPlan toPlan() {
    return new ExportPlan(precision, Optional.ofNullable(opset), ort);
  }
}
