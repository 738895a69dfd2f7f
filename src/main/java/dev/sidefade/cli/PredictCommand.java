package dev.sidefade.cli;

import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import dev.sidefade.Prediction;
import dev.sidefade.Predictor;
import dev.sidefade.TextPredictor;
import dev.sidefade.tensor.BadInputException;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;
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
    header = "Say what images show, or what texts are.",
    synopsisHeading = "%nUsage: ",
    sortOptions = false,
    parameterListHeading = "%n",
    optionListHeading = "%nOptions:%n",
    exitCodeListHeading = "%nExit codes:%n",
    exitCodeList = {
      "0:done",
      "1:failed while running",
      "2:wrong use or bad input; with several files, the readable ones are predicted all the same"
    },
    footerHeading = "%nExamples:%n",
    footer = {
      "  sidefade predict --model result/model.onnx rose.jpg",
      "  sidefade predict --model result/model.onnx --top 3 --json *.png > predictions.jsonl",
      "  sidefade predict --model result/model.onnx --tokenizer tokenizer.json < lines.txt"
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
      names = "--tokenizer",
      paramLabel = "FILE",
      description =
          "The tokenizer.json of a text model. The files are then read line by line, or the"
              + " standard input where none is named, and each line that is not blank is answered."
              + " The two texts of a pair have a tab between them.")
  private Path tokenizer;

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
          "Print one JSON object per line and image or text, and nothing else, on the standard"
              + " output.")
  private boolean json;

  @Parameters(
      arity = "0..*",
      paramLabel = "FILE",
      description = "Images, PNG or JPEG; with --tokenizer texts in UTF-8.")
  private List<Path> files = List.of();

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
    if (tokenizer == null && files.isEmpty()) {
      throw new BadInputException(
          "no image FILE was named; texts can be read from the standard input, but need"
              + " --tokenizer");
    }
    int count = threads.count();
    OnnxRuntimeLog.errorsOnly();
    if (tokenizer != null) {
      try (TextPredictor predictor = TextPredictor.open(model, tokenizer, count)) {
        return predictLines(predictor::predict, predictor.pairs());
      }
    }
    try (Predictor predictor = Predictor.open(model, count)) {
      return predictAll(predictor::predict);
    }
  }

  /** Answers the lines of all files; as for images, bad ones do not stop the others. */
  private int predictLines(TextLines.Model texts, boolean pairs) throws IOException {
    PrintWriter out = spec.commandLine().getOut();
    TextLines lines = new TextLines(texts, top, pairs, json, out);
    if (files.isEmpty()) {
      // a decoder of its own refuses what is not UTF-8
      lines.predict(
          "-",
          new BufferedReader(
              new InputStreamReader(System.in, StandardCharsets.UTF_8.newDecoder())));
      return ExitCode.OK;
    }
    return each(
        files,
        file -> {
          try (BufferedReader reader = Files.newBufferedReader(file)) {
            lines.predict(file.toString(), reader);
          }
        },
        out,
        spec.commandLine().getErr());
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
    return each(
        files,
        file -> {
          List<Prediction> predictions = classifier.predict(file, top);
          out.println(json ? Json.line(toJson(file, predictions)) : toText(file, predictions));
        },
        out,
        err);
  }

  /** What is done with one file. */
  @FunctionalInterface
  private interface Work {
    void on(Path file) throws IOException;
  }

  private static int each(List<Path> files, Work work, PrintWriter out, PrintWriter err)
      throws IOException {
    int code = ExitCode.OK;
    for (Path file : files) {
      try {
        work.on(file);
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
    JsonObject object = new JsonObject();
    object.addProperty("file", file.toString());
    object.add("predictions", toJson(predictions));
    return object;
  }

  /** Classes with their probabilities. */
  static JsonArray toJson(List<Prediction> predictions) {
    JsonArray array = new JsonArray();
    for (Prediction prediction : predictions) {
      JsonObject one = new JsonObject();
      one.addProperty("label", prediction.label());
      one.addProperty("index", prediction.index());
      one.addProperty("probability", prediction.probability());
      array.add(one);
    }
    return array;
  }

  private static String toText(Path file, List<Prediction> predictions) {
    return file + ": " + TextLines.toText(predictions);
  }
}
