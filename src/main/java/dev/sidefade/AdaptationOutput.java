package dev.sidefade;

import com.google.gson.Gson;
import dev.sidefade.backbone.Backbone;
import dev.sidefade.backbone.Preprocessing;
import dev.sidefade.backbone.TrunkOutput;
import dev.sidefade.export.Delta;
import dev.sidefade.export.Export;
import dev.sidefade.export.FadedModel;
import dev.sidefade.export.KeptModel;
import dev.sidefade.export.Latency;
import dev.sidefade.export.LatencyMeter;
import dev.sidefade.export.ModelCard;
import dev.sidefade.export.TunedModel;
import dev.sidefade.export.TunedTail;
import dev.sidefade.export.Verification;
import dev.sidefade.kernels.Device;
import dev.sidefade.onnx.OnnxModel;
import dev.sidefade.report.HtmlReport;
import dev.sidefade.report.MetricsJson;
import dev.sidefade.report.RunReport;
import dev.sidefade.report.RunReportBuilder;
import dev.sidefade.tensor.DType;
import dev.sidefade.tensor.Shape;
import dev.sidefade.tensor.Tensor;
import dev.sidefade.train.BackboneTail;
import dev.sidefade.train.ExampleSet;
import dev.sidefade.train.FeatureSource;
import dev.sidefade.train.FeatureUploads;
import dev.sidefade.train.InnerConstants;
import dev.sidefade.train.Outcome;
import dev.sidefade.train.SidePart;
import dev.sidefade.train.Task;
import dev.sidefade.train.TrunkFeatures;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.DoubleSupplier;
import java.util.stream.IntStream;

/** Writes what an adaptation made: models, delta, metrics, report. */
final class AdaptationOutput {
  static final String MODEL = "model.onnx";
  static final String KEPT = "kept.onnx";
  static final String DELTA = "delta.safetensors";
  static final String METRICS = "metrics.json";
  static final String REPORT = "report.html";

  /** Examples on which an exported model must agree with the training-time path. */
  private static final int VERIFIED_ROWS = 5;

  private static final int SHOWN_PREDICTIONS = 24;

  private final AdaptConfig config;
  private final AdaptationPlan plan;
  private final AdaptationData data;
  private final Backbone backbone;
  private final Map<String, String> hashes;
  private final Optional<Preprocessing> preprocessing;
  private final Device device;
  private final ProgressListener progress;

  AdaptationOutput(
      AdaptConfig config,
      AdaptationPlan plan,
      AdaptationData data,
      Backbone backbone,
      Map<String, String> hashes,
      Optional<Preprocessing> preprocessing,
      Device device,
      ProgressListener progress) {
    this.config = config;
    this.plan = plan;
    this.data = data;
    this.backbone = backbone;
    this.hashes = hashes;
    this.preprocessing = preprocessing;
    this.device = device;
    this.progress = progress;
  }

  AdaptResult write(
      AdaptationFigures figures, Networks networks, Duration latencyBudget, DoubleSupplier seconds)
      throws IOException {
    Optional<BackboneTail> tail = networks.tail();
    Optional<SidePart> side = networks.side();
    FeatureSets features = networks.features();
    Map<String, Path> models = new LinkedHashMap<>();
    ExportFigures exports = new ExportFigures(config, plan, data, device, progress);
    models.put(RunReport.ORIGINAL, backbone.file());
    ModelCard card =
        new ModelCard(
                ModelCard.Kind.FADED,
                Version.text(),
                data.classNames(),
                preprocessing,
                backbone.hash(),
                new Gson().toJson(figures.scores()))
            .withTask(cardTask(), data.textInput());
    Optional<TunedModel> tuned = tail.map(t -> tuned(t, networks.inner()));
    if (tail.isPresent()) {
      models.put(
          RunReport.FADED, writeFaded(tail.get(), tuned.get(), card, features.source(), exports));
    }
    if (side.isPresent()) {
      // beside the pretrained backbone, unless it read the tuned one
      Optional<TunedModel> read = Networks.seesTuned(config) ? tuned : Optional.empty();
      models.put(RunReport.KEPT, writeKept(side.get(), read, card, features.sideSource()));
    }
    exports.answer();
    RunReportBuilder report = figures.report();
    if (latencyBudget.isPositive()) {
      measureLatency(report, models, exports, latencyBudget);
    }
    exports.addTo(report);
    for (Map.Entry<String, Path> model : models.entrySet()) {
      report.fileBytes(model.getKey(), Files.size(model.getValue()));
    }
    Optional<Path> delta = tail.map(t -> config.out().resolve(DELTA));
    if (delta.isPresent()) {
      report.fileBytes(RunReport.DELTA, Files.size(delta.get()));
    }
    ReportSamples.add(report, figures, data, SHOWN_PREDICTIONS);
    Environment.describe(report, device);
    hashes.forEach(report::environment);
    report.seconds(seconds.getAsDouble());
    RunReport done = report.build();
    Path metrics = config.out().resolve(METRICS);
    Path html = config.out().resolve(REPORT);
    MetricsJson.write(done, metrics);
    HtmlReport.write(done, html);
    return new AdaptResult(
        Optional.ofNullable(models.get(RunReport.FADED)),
        delta,
        Optional.ofNullable(models.get(RunReport.KEPT)),
        metrics,
        html,
        done);
  }

  private ModelCard.Task cardTask() {
    return switch (config.task()) {
      case IMAGE -> ModelCard.Task.IMAGE_CLASSIFICATION;
      case TEXT -> ModelCard.Task.TEXT_CLASSIFICATION;
      case REGRESSION -> ModelCard.Task.REGRESSION;
      case TOKENS -> ModelCard.Task.TOKEN_CLASSIFICATION;
    };
  }

  private TunedModel tuned(BackboneTail tail, Optional<InnerConstants> inner) {
    TunedTail end = TunedTail.of(plan.pooling(), tail.parameters(), config.tune().lastNorm());
    return inner
        .map(i -> TunedModel.of(end, i.constants(), name -> i.parameter(name).value().toFloats()))
        .orElseGet(() -> TunedModel.of(end));
  }

  private Path writeFaded(
      BackboneTail tail,
      TunedModel tuned,
      ModelCard card,
      FeatureSource source,
      ExportFigures exports)
      throws IOException {
    Path target = config.out().resolve(MODEL);
    Outcome.Network network = (features, n) -> tail.forward(device.kernels(), features, n);
    OnnxModel model = FadedModel.build(backbone, tuned, card);
    verified(
        source,
        0,
        network,
        examples -> {
          Export.writeVerified(model, target, examples);
          Delta.write(config.out().resolve(DELTA), backbone, tuned, card);
          exports.write(model, target, examples);
        });
    return target;
  }

  private Path writeKept(
      SidePart side, Optional<TunedModel> tuned, ModelCard card, FeatureSource source)
      throws IOException {
    Path target = config.out().resolve(KEPT);
    OnnxModel model =
        KeptModel.build(
            backbone,
            tuned,
            side.network().config(),
            plan.taps(),
            side.parameters(),
            card.withKind(ModelCard.Kind.KEPT));
    Outcome.Network network = (features, n) -> side.forward(device.kernels(), features, n);
    verified(
        source,
        plan.taps().size(),
        network,
        examples -> Export.writeVerified(model, target, examples));
    return target;
  }

  /** Writes files that must answer as the training-time path did. */
  @FunctionalInterface
  private interface Writing {
    void write(Verification examples) throws IOException;
  }

  /**
   * Runs the training-time path on a few examples, so that exported models can show that they
   * compute the same.
   */
  private void verified(FeatureSource source, int taps, Outcome.Network network, Writing writing)
      throws IOException {
    int count = Math.min(VERIFIED_ROWS, Math.min(data.shown().size(), plan.order().rows()));
    List<Tensor> outputs = new ArrayList<>();
    try (ExampleSet.Loader loader = examples(count);
        FeatureUploads uploads = new FeatureUploads(device)) {
      ExampleSet.Loaded rows = loader.next();
      for (TrunkOutput output : source.outputs()) {
        Shape shape = Shape.of(output.shape(count, rows.tokens()));
        outputs.add(device.allocateHost(DType.F32, shape));
      }
      source.run(rows.inputs(), count, outputs);
      TrunkFeatures features = TrunkFeatures.of(source, taps, outputs, rows.valid());
      Tensor logits = network.logits(uploads.of(features), count);
      if (plan.task() == Task.TOKENS) {
        logits = logits.view(count, rows.tokens(), plan.classes());
      }
      writing.write(new Verification(rows.inputs(), logits));
    } finally {
      outputs.forEach(Tensor::close);
    }
  }

  /** The first examples as one batch, from the start again when there are too few. */
  private ExampleSet.Loader examples(int count) {
    ExampleSet set = data.shown();
    int[] order = IntStream.range(0, count).map(i -> i % set.size()).toArray();
    return set.load(0, order, count);
  }

  /** All models take turns, the exported files too, so that their times can be compared. */
  private void measureLatency(
      RunReportBuilder report, Map<String, Path> models, ExportFigures exports, Duration budget) {
    Map<String, Path> timed = new LinkedHashMap<>(models);
    timed.putAll(exports.further());
    progress.phase("latency", 2);
    long done = 0;
    Map<String, Integer> batches = new LinkedHashMap<>();
    batches.put(RunReport.BATCH_1, 1);
    batches.put(RunReport.BATCH_32, 32);
    for (Map.Entry<String, Integer> batch : batches.entrySet()) {
      try (ExampleSet.Loader loader = examples(batch.getValue())) {
        Map<String, Latency> measured =
            LatencyMeter.measure(timed, loader.next().inputs(), config.threads(), budget);
        measured.forEach((name, l) -> {
          RunReport.Latency latency = new RunReport.Latency(l.median(), l.low(), l.high());
          if (models.containsKey(name)) {
            report.latency(batch.getKey(), name, latency);
          }
          exports.latency(batch.getKey(), name, latency);
        });
      }
      progress.step(++done, "");
    }
    progress.phaseDone();
  }
}
