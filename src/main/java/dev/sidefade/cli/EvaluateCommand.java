package dev.sidefade.cli;

import com.google.gson.JsonNull;
import com.google.gson.JsonObject;
import dev.sidefade.Predictor;
import dev.sidefade.TextPredictor;
import dev.sidefade.report.RunReport;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
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
    header = "Measure how well an adapted model does.",
    synopsisHeading = "%nUsage: ",
    sortOptions = false,
    optionListHeading = "%nOptions:%n",
    exitCodeListHeading = "%nExit codes:%n",
    exitCodeList = {"0:done", "1:failed while running", "2:wrong use or bad input"},
    footerHeading = "%nExamples:%n",
    footer = {
      "  sidefade evaluate --model result/model.onnx --data flowers/test",
      "  sidefade evaluate --model result/model.onnx --data t10k-images-idx3-ubyte.gz --json",
      "  sidefade evaluate --model result/model.onnx --tokenizer tokenizer.json --data test.tsv"
    })
final class EvaluateCommand implements Callable<Integer> {
  private static final Set<String> COUNTS = Set.of("examples", "words", "skipped", "truncated");
  private static final Set<String> SHARES = Set.of(RunReport.ACCURACY, RunReport.F1);

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
              + " file; for texts a TSV, CSV or CoNLL file.")
  private String data;

  @Option(
      names = "--tokenizer",
      paramLabel = "FILE",
      description = "The tokenizer.json of a text model.")
  private Path tokenizer;

  @Option(
      names = "--strict",
      description = "Refuse unreadable examples instead of leaving them out.")
  private boolean strict;

  @Mixin private ThreadOptions threads = new ThreadOptions();

  @Option(
      names = "--json",
      description =
          "Print {\"accuracy\":..,\"examples\":..} and nothing else on the standard output; the"
              + " measures of a text model likewise.")
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
    if (tokenizer != null) {
      try (TextPredictor predictor = TextPredictor.open(model, tokenizer, count)) {
        Map<String, Double> measures = predictor.evaluate(data, strict);
        out.println(json ? Json.line(toJson(measures)) : toText(measures));
      }
      return ExitCode.OK;
    }
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

  /** Measures by name; whole numbers, such as counts, without decimals. */
  static JsonObject toJson(Map<String, Double> measures) {
    JsonObject object = new JsonObject();
    measures.forEach((name, value) -> {
      if (isCount(name, value)) {
        object.addProperty(name, value.longValue());
      } else if (Double.isFinite(value)) {
        object.addProperty(name, value);
      } else {
        object.add(name, JsonNull.INSTANCE);
      }
    });
    return object;
  }

  /** Shares as percent, other measures as they are, counts at the end. */
  static String toText(Map<String, Double> measures) {
    List<String> values = new ArrayList<>();
    List<String> counts = new ArrayList<>();
    measures.forEach((name, value) -> {
      if (isCount(name, value)) {
        counts.add(value.longValue() + " " + name);
      } else if (SHARES.contains(name)) {
        values.add(String.format(Locale.ROOT, "%s %.2f %%", name, 100 * value));
      } else {
        values.add(String.format(Locale.ROOT, "%s %.4f", name, value));
      }
    });
    String text = String.join(", ", values);
    return counts.isEmpty() ? text : text + " on " + String.join(", ", counts);
  }

  private static boolean isCount(String name, double value) {
    return COUNTS.contains(name) && value == Math.rint(value);
  }
}
