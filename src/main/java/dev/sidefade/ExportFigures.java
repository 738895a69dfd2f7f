package dev.sidefade;

import dev.sidefade.backbone.TrunkOutput;
import dev.sidefade.export.ExportPlan;
import dev.sidefade.export.ExportVariant;
import dev.sidefade.export.ExportedModel;
import dev.sidefade.export.Precision;
import dev.sidefade.export.Verification;
import dev.sidefade.kernels.Device;
import dev.sidefade.onnx.OnnxModel;
import dev.sidefade.report.RunReport;
import dev.sidefade.report.RunReportBuilder;
import dev.sidefade.tensor.Tensor;
import dev.sidefade.train.ExampleSet;
import dev.sidefade.train.FeatureSource;
import dev.sidefade.train.LiveFeatures;
import dev.sidefade.train.Outcome;
import dev.sidefade.train.Task;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * The files of an adapted model in other precisions, opsets and formats: written, and measured as
 * their users run them. Nothing happens where none are asked for.
 */
final class ExportFigures {
  private final AdaptConfig config;
  private final AdaptationPlan plan;
  private final AdaptationData data;
  private final Device device;
  private final ProgressListener progress;
  private final List<Measured> files = new ArrayList<>();

  /** One file; the maps are filled as it is measured. */
  private record Measured(
      ExportVariant variant,
      Path file,
      long opset,
      Map<String, Map<String, Double>> measures,
      Map<String, RunReport.Latency> latencyMs) {
    /** What latencies are kept under; the plain model has its own in the report. */
    String name() {
      return variant.isPlain() ? RunReport.FADED : String.valueOf(file.getFileName());
    }
  }

  ExportFigures(
      AdaptConfig config,
      AdaptationPlan plan,
      AdaptationData data,
      Device device,
      ProgressListener progress) {
    this.config = config;
    this.plan = plan;
    this.data = data;
    this.device = device;
    this.progress = progress;
  }

  /** Writes what was asked for beside a model file that is in its place. */
  void write(OnnxModel model, Path file, Verification examples) throws IOException {
    ExportPlan exports = config.exports();
    if (exports.variants().isEmpty()) {
      return;
    }
    add(new ExportVariant(Precision.FP32, Optional.empty(), false), file, model);
    exports
        .write(model, file, Optional.of(examples))
        .forEach((variant, path) -> add(variant, path, model));
  }

  /** Lets all files answer all examples of validation and test. */
  void answer() {
    if (files.isEmpty()) {
      return;
    }
    progress.phase("answers of the exported files", files.size());
    long done = 0;
    for (Measured measured : files) {
      try (ExportedModel run = ExportedModel.open(measured.file, config.threads())) {
        answer(measured, RunReport.VAL, data.validation(), run);
        data.test().ifPresent(test -> answer(measured, RunReport.TEST, test, run));
      }
      progress.step(++done, "");
    }
    progress.phaseDone();
  }

  private void add(ExportVariant variant, Path file, OnnxModel model) {
    long opset = variant.opset().map(Integer::longValue).orElse(model.opset());
    files.add(new Measured(variant, file, opset, new LinkedHashMap<>(), new LinkedHashMap<>()));
  }

  private void answer(Measured measured, String split, ExampleSet examples, ExportedModel run) {
    int rows = plan.order().rows();
    try (LiveFeatures feed = new LiveFeatures(examples, logits(run), 0, rows, device)) {
      Outcome outcome =
          Outcome.of(feed, rows, plan.answers(data), (features, n) -> features.last());
      outcome
          .measures()
          .forEach((measure, value) ->
              measured
                  .measures
                  .computeIfAbsent(measure, m -> new LinkedHashMap<>())
                  .put(split, value));
    }
  }

  /** The logits of a file in the place of a backbone's features. */
  private FeatureSource logits(ExportedModel run) {
    TrunkOutput output = new TrunkOutput("logits", plan.task() == Task.TOKENS, -1, plan.classes());
    return new FeatureSource() {
      @Override
      public List<TrunkOutput> outputs() {
        return List.of(output);
      }

      @Override
      public int finalInput() {
        return 0;
      }

      @Override
      public void run(Map<String, Tensor> inputs, long batch, List<Tensor> results) {
        run.run(inputs, results.getFirst());
      }
    };
  }

  /** The files beside the plain one, by the names under which their latencies are to be added. */
  Map<String, Path> further() {
    Map<String, Path> further = new LinkedHashMap<>();
    files.stream()
        .filter(measured -> !measured.variant.isPlain())
        .forEach(measured -> further.put(measured.name(), measured.file));
    return further;
  }

  /** Takes a latency that was measured under a name, if it is that of a file. */
  void latency(String batch, String name, RunReport.Latency latency) {
    files.stream()
        .filter(measured -> measured.name().equals(name))
        .forEach(measured -> measured.latencyMs.put(batch, latency));
  }

  void addTo(RunReportBuilder report) throws IOException {
    for (Measured measured : files) {
      report.export(
          new RunReport.Export(
              String.valueOf(measured.file.getFileName()),
              measured.variant.precision().text(),
              measured.opset,
              measured.variant.ort() ? "ort" : "onnx",
              bytes(measured.file),
              measured.measures,
              measured.latencyMs));
    }
  }

  /** With the data beside the file, for they take part in what a precision saves. */
  private static long bytes(Path file) throws IOException {
    Path beside = file.resolveSibling(file.getFileName() + ".data");
    return Files.size(file) + (Files.exists(beside) ? Files.size(beside) : 0);
  }
}
