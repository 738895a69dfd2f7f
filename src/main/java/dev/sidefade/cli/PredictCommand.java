package dev.sidefade.cli;

import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import dev.sidefade.Prediction;
import dev.sidefade.Predictor;
import dev.sidefade.tensor.BadInputException;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import picocli.CommandLine.Command;
import picocli.CommandLine.ExitCode;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code sidefade predict}. */
@Command(
    name = "predict",
    header = "Say what images show.",
    synopsisHeading = "%nUsage: ",
    sortOptions = false,
    parameterListHeading = "%n",
    optionListHeading = "%nOptions:%n",
    exitCodeListHeading = "%nExit codes:%n",
    exitCodeList = {
      "0:done",
      "1:failed while running",
      "2:wrong use or bad input; with several images, the readable ones are predicted all the same"
    },
    footerHeading = "%nExamples:%n",
    footer = {
      "  sidefade predict --model result/model.onnx rose.jpg",
      "  sidefade predict --model result/model.onnx --top 3 --json *.png > predictions.jsonl"
    })
final class PredictCommand implements Callable<Integer> {
  @Spec private CommandSpec spec;

  @Option(
      names = "--model",
      required = true,
      paramLabel = "M.onnx",
      description = "A model that sidefade adapt made.")
  private Path model;

  @Option(
      names = "--top",
      paramLabel = "K",
      defaultValue = "1",
      description =
          "How many classes to name, the most probable first (default: ${DEFAULT-VALUE}).")
  private int top;

  @Mixin private ThreadOptions threads = new ThreadOptions();

  @Option(
      names = "--json",
      description =
          "Print one JSON object per line and image, and nothing else, on the standard output.")
  private boolean json;

  @Parameters(arity = "1..*", paramLabel = "FILE", description = "Images, PNG or JPEG.")
  private List<Path> files;

  @Mixin
  @SuppressWarnings("unused") // picocli fills it
  private CommonOptions common;

  /** What finds the classes of one image. */
  @FunctionalInterface
  interface Classifier {
    /** The {@code top} most probable classes, the most probable first. */
    List<Prediction> predict(Path image, int top) throws IOException;
  }

  @Override
  public Integer call() throws IOException {
    if (top < 1) {
      throw new BadInputException("--top must be at least 1, got " + top);
    }
    int count = threads.count();
    OnnxRuntimeLog.errorsOnly();
    try (Predictor predictor = Predictor.open(model, count)) {
      return predictAll(predictor::predict);
    }
  }

  /**
   * One line for each readable image; bad images are told and make the exit code 2, anything else
   * ends the command.
   */
  private int predictAll(Classifier classifier) throws IOException {
    return predictAll(
        classifier, files, top, json, spec.commandLine().getOut(), spec.commandLine().getErr());
  }

  static int predictAll(
      Classifier classifier,
      List<Path> files,
      int top,
      boolean json,
      PrintWriter out,
      PrintWriter err)
      throws IOException {
    int code = ExitCode.OK;
    for (Path file : files) {
      try {
        List<Prediction> predictions = classifier.predict(file, top);
        out.println(json ? Json.line(toJson(file, predictions)) : toText(file, predictions));
      } catch (IOException | RuntimeException e) {
        Failure failure = Failure.of(e, List.of(file.toString()));
        if (failure.exitCode() != ExitCode.USAGE) {
          throw e;
        }
        out.flush();
        err.println("error: " + failure.sentence());
        code = ExitCode.USAGE;
      }
    }
    return code;
  }

  private static JsonObject toJson(Path file, List<Prediction> predictions) {
    JsonArray array = new JsonArray();
    for (Prediction prediction : predictions) {
      JsonObject one = new JsonObject();
      one.addProperty("label", prediction.label());
      one.addProperty("index", prediction.index());
      one.addProperty("probability", prediction.probability());
      array.add(one);
    }
    JsonObject object = new JsonObject();
    object.addProperty("file", file.toString());
    object.add("predictions", array);
    return object;
  }

  private static String toText(Path file, List<Prediction> predictions) {
    return file
        + ": "
        + predictions.stream()
            .map(p -> String.format(Locale.ROOT, "%s %.1f %%", p.label(), 100 * p.probability()))
            .collect(Collectors.joining(", "));
  }
}
