package dev.sidefade.cli;

import com.google.gson.JsonObject;
import dev.sidefade.Predictor;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.Locale;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.ExitCode;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code sidefade evaluate}. */
@Command(
    name = "evaluate",
    header = "Measure the accuracy of an adapted model.",
    synopsisHeading = "%nUsage: ",
    sortOptions = false,
    optionListHeading = "%nOptions:%n",
    exitCodeListHeading = "%nExit codes:%n",
    exitCodeList = {"0:done", "1:failed while running", "2:wrong use or bad input"},
    footerHeading = "%nExamples:%n",
    footer = {
      "  sidefade evaluate --model result/model.onnx --data flowers/test",
      "  sidefade evaluate --model result/model.onnx --data t10k-images-idx3-ubyte.gz --json"
    })
final class EvaluateCommand implements Callable<Integer> {
  @Spec private CommandSpec spec;

  @Option(
      names = "--model",
      required = true,
      paramLabel = "M.onnx",
      description = "A model that sidefade adapt made.")
  private Path model;

  @Option(
      names = "--data",
      required = true,
      paramLabel = "SRC",
      description =
          "Labelled examples: a folder with one sub-folder per class, an IDX images file or a list"
              + " file.")
  private String data;

  @Option(names = "--strict", description = "Refuse unreadable images instead of leaving them out.")
  private boolean strict;

  @Mixin private ThreadOptions threads = new ThreadOptions();

  @Option(
      names = "--json",
      description =
          "Print {\"accuracy\":..,\"examples\":..} and nothing else on the standard output.")
  private boolean json;

  @Mixin
  @SuppressWarnings("unused") // picocli fills it
  private CommonOptions common;

  @Override
  public Integer call() throws IOException {
    PrintWriter out = spec.commandLine().getOut();
    PrintWriter err = spec.commandLine().getErr();
    int count = threads.count();
    OnnxRuntimeLog.errorsOnly();
    Predictor.Evaluation evaluation;
    try (Predictor predictor = Predictor.open(model, count)) {
      evaluation = predictor.evaluate(data, strict);
    }
    if (evaluation.skipped() > 0) {
      err.println("note: " + evaluation.skipped() + " unreadable images were left out");
    }
    out.println(json ? Json.line(toJson(evaluation)) : toText(evaluation));
    return ExitCode.OK;
  }

  static JsonObject toJson(Predictor.Evaluation evaluation) {
    JsonObject object = new JsonObject();
    object.addProperty("accuracy", evaluation.accuracy());
    object.addProperty("examples", evaluation.examples());
    return object;
  }

  static String toText(Predictor.Evaluation evaluation) {
    return String.format(
        Locale.ROOT,
        "accuracy %.2f %% on %d examples",
        100 * evaluation.accuracy(),
        evaluation.examples());
  }
}
