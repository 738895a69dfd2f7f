package dev.sidefade.cli;

import dev.sidefade.export.Delta;
import dev.sidefade.export.ExportPlan;
import dev.sidefade.export.ExportVariant;
import dev.sidefade.tensor.BadInputException;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.ExitCode;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code sidefade apply}. */
@Command(
    name = "apply",
    header = "Make an adapted model from its backbone and what changed.",
    synopsisHeading = "%nUsage: ",
    sortOptions = false,
    optionListHeading = "%nOptions:%n",
    exitCodeListHeading = "%nExit codes:%n",
    exitCodeList = {"0:done", "1:failed while running", "2:wrong use or bad input"},
    footerHeading = "%nExample:%n",
    footer = {
      "  sidefade apply --base vit.onnx --delta result/delta.safetensors --out model.onnx",
      "  sidefade apply --base vit.onnx --delta result/delta.safetensors --out model.onnx"
          + " --precision int8"
    })
final class ApplyCommand implements Callable<Integer> {
  @Spec private CommandSpec spec;

  @Option(
      names = "--base",
      required = true,
      paramLabel = "B.onnx",
      description = "The backbone that the delta was made from, byte for byte.")
  private Path base;

  @Option(
      names = "--delta",
      required = true,
      paramLabel = "D.safetensors",
      description = "What sidefade adapt changed.")
  private Path delta;

  @Option(
      names = "--out",
      required = true,
      paramLabel = "M.onnx",
      description =
          "The model to write, in fp32; a file of that name is replaced. Other precisions, opsets"
              + " and formats are written beside it.")
  private Path out;

  @Mixin private ExportOptions exports = new ExportOptions();

  @Mixin
  @SuppressWarnings("unused") // picocli fills it
  private CommonOptions common;

  @Override
  public Integer call() throws IOException {
    PrintWriter err = spec.commandLine().getErr();
    for (Path input : List.of(base, delta)) {
      if (!Files.isRegularFile(input)) {
        throw new BadInputException("there is no file " + input + "; check the path");
      }
      if (Files.exists(out) && Files.isSameFile(input, out)) {
        throw new BadInputException(
            "--out " + out + " would overwrite its own input; choose another name");
      }
    }
    if (Files.isDirectory(out)) {
      throw new BadInputException(
          "--out " + out + " is a folder; name a file such as " + out.resolve("model.onnx"));
    }
    Path folder = out.toAbsolutePath().getParent();
    if (!Files.isDirectory(folder)) {
      throw new BadInputException(
          "there is no folder " + folder + " for --out; make it or choose another");
    }
    ExportPlan plan = exports.toPlan();
    refuseInputs(plan);
    OnnxRuntimeLog.errorsOnly();
    List<Path> further;
    try (Interruption _ = new Interruption(folder, 1, err, "no model was written")) {
      further = Delta.apply(base, delta, out, plan);
    }
    spec.commandLine().getOut().println(out);
    further.forEach(spec.commandLine().getOut()::println);
    return ExitCode.OK;
  }

  /** A further file could have the name of the backbone. */
  private void refuseInputs(ExportPlan plan) throws IOException {
    for (ExportVariant variant : plan.variants()) {
      Path file = variant.beside(out);
      if (Files.isDirectory(file) || (Files.exists(file) && Files.isSameFile(file, base))) {
        throw new BadInputException(
            "the file "
                + file
                + ", which would be written beside --out, is there and is the backbone or a folder;"
                + " choose another --out");
      }
    }
  }
}
