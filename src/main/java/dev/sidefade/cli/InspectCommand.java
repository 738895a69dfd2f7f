package dev.sidefade.cli;

import java.io.IOException;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.ExitCode;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code sidefade inspect}. */
@Command(
    name = "inspect",
    header = "Show what a model is made of, and whether it can be adapted.",
    synopsisHeading = "%nUsage: ",
    sortOptions = false,
    description = {
      "Taps, norms, read-out and head are found from the structure of the graph. A model in which"
          + " they are not found is shown all the same, with the reason why it cannot be a"
          + " backbone."
    },
    descriptionHeading = "%n",
    parameterListHeading = "%n",
    optionListHeading = "%nOptions:%n",
    exitCodeListHeading = "%nExit codes:%n",
    exitCodeList = {
      "0:done, also for a model that cannot be a backbone",
      "1:failed while running",
      "2:wrong use, or no readable ONNX model"
    },
    footerHeading = "%nExamples:%n",
    footer = {"  sidefade inspect vit.onnx", "  sidefade inspect vit.onnx --json"})
final class InspectCommand implements Callable<Integer> {
  @Spec private CommandSpec spec;

  @Parameters(paramLabel = "M.onnx", description = "The model.")
  private Path model;

  @Option(
      names = "--json",
      description = "Print one JSON object and nothing else on the standard output.")
  private boolean json;

  @Mixin
  @SuppressWarnings("unused") // picocli fills it
  private CommonOptions common;

  @Override
  public Integer call() throws IOException {
    OnnxRuntimeLog.errorsOnly();
    ModelFacts facts = ModelFacts.read(model);
    String text =
        json ? Json.indented(InspectJson.of(facts)) : InspectText.of(facts).stripTrailing();
    spec.commandLine().getOut().println(text);
    return ExitCode.OK;
  }
}
