package dev.sidefade;

import com.google.gson.Gson;
import dev.sidefade.backbone.Backbone;
import dev.sidefade.backbone.Preprocessing;
import dev.sidefade.backbone.Trunk;
import dev.sidefade.backbone.TrunkOutput;
import dev.sidefade.data.ImageSource;
import dev.sidefade.data.ImageSpec;
import dev.sidefade.export.Delta;
import dev.sidefade.export.Export;
import dev.sidefade.export.FadedModel;
import dev.sidefade.export.KeptModel;
import dev.sidefade.export.Latency;
import dev.sidefade.export.LatencyMeter;
import dev.sidefade.export.ModelCard;
import dev.sidefade.export.TunedTail;
import dev.sidefade.export.Verification;
import dev.sidefade.kernels.Device;
import dev.sidefade.onnx.OnnxModel;
import dev.sidefade.report.HtmlReport;
import dev.sidefade.report.MetricsJson;
import dev.sidefade.report.RunReport;
import dev.sidefade.report.RunReportBuilder;
import dev.sidefade.tensor.Tensor;
import dev.sidefade.train.BackboneTail;
import dev.sidefade.train.Evaluation;
import dev.sidefade.train.SidePart;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

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
  private final Preprocessing preprocessing;
  private final Device device;
  private final ProgressListener progress;

  AdaptationOutput(
      AdaptConfig config,
      AdaptationPlan plan,
      AdaptationData data,
      Backbone backbone,
      Preprocessing preprocessing,
      Device device,
      ProgressListener progress) {
    this.config = config;
    this.plan = plan;
    this.data = data;
    this.backbone = backbone;
    this.preprocessing = preprocessing;
    this.device = device;
    this.progress = progress;
  }

  AdaptResult write(
      AdaptationFigures figures,
      Optional<BackboneTail> tail,
      Optional<SidePart> side,
      Trunk trunk,
      Duration latencyBudget,
      long started)
      throws IOException {
    Map<String, Path> models = new LinkedHashMap<>();
    models.put(RunReport.ORIGINAL, backbone.file());
    ModelCard card =
        new ModelCard(
            ModelCard.Kind.FADED,
            Version.text(),
            data.classNames(),
            Optional.of(preprocessing),
            backbone.hash(),
            new Gson().toJson(figures.accuracies()));
    if (tail.isPresent()) {
      models.put(RunReport.FADED, writeFaded(tail.get(), card, trunk));
    }
    if (side.isPresent()) {
      models.put(RunReport.KEPT, writeKept(side.get(), card, trunk));
    }
    RunReportBuilder report = figures.report();
    if (latencyBudget.isPositive()) {
      measureLatency(report, models, latencyBudget);
    }
    for (Map.Entry<String, Path> model : models.entrySet()) {
      report.fileBytes(model.getKey(), Files.size(model.getValue()));
    }
    Optional<Path> delta = tail.map(t -> config.out().resolve(DELTA));
    if (delta.isPresent()) {
      report.fileBytes(RunReport.DELTA, Files.size(delta.get()));
    }
    ReportPictures.add(report, figures, data, preprocessing, SHOWN_PREDICTIONS);
    Environment.describe(report, device);
    report.seconds((System.nanoTime() - started) / 1e9);
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

  private Path writeFaded(BackboneTail tail, ModelCard card, Trunk trunk) throws IOException {
    boolean withNorm = config.tune() == Tune.FINAL_NORM;
    TunedTail tuned = TunedTail.of(plan.pooling(), tail.parameters(), withNorm);
    Path target = config.out().resolve(MODEL);
    Evaluation.Network network =
        (features, n) -> tail.forward(device.kernels(), features.last(), n);
    verified(FadedModel.build(backbone, tuned, card), target, trunk, network);
    Delta.write(config.out().resolve(DELTA), backbone, tuned, card);
    return target;
  }

  private Path writeKept(SidePart side, ModelCard card, Trunk trunk) throws IOException {
    Path target = config.out().resolve(KEPT);
    var model =
        KeptModel.build(
            backbone,
            side.network().config(),
            plan.taps(),
            side.parameters(),
            card.withKind(ModelCard.Kind.KEPT));
    Evaluation.Network network = (features, n) -> side.forward(device.kernels(), features, n);
    verified(model, target, trunk, network);
    return target;
  }

  /**
   * Runs the training-time path on a few images and lets the exported model show that it computes
   * the same.
   */
  private void verified(OnnxModel model, Path target, Trunk trunk, Evaluation.Network network)
      throws IOException {
    ImageSource images = data.test().orElse(data.validation());
    int count = Math.min(VERIFIED_ROWS, Math.min(images.size(), plan.order().rows()));
    List<Tensor> outputs = new ArrayList<>();
    try (Tensor rows = images(images, count)) {
      for (TrunkOutput output : trunk.outputs()) {
        outputs.add(device.allocate(output.shape(count)));
      }
      trunk.run(rows, count, outputs);
      Tensor logits = network.logits(plan.features(trunk, outputs), count);
      Export.writeVerified(model, target, Verification.of(backbone.inputName(), rows, logits));
    } finally {
      outputs.forEach(Tensor::close);
    }
  }

  /**
   * [count, channels, height, width] of the first images, from the start again when there are too
   * few.
   */
  private Tensor images(ImageSource source, int count) {
    ImageSpec spec = AdaptationData.spec(preprocessing);
    Tensor rows = device.allocate(count, spec.channels(), spec.height(), spec.width());
    float[] all = new float[Math.multiplyExact(count, spec.size())];
    for (int i = 0; i < count; i++) {
      source.decode(i % source.size(), spec, all, i * spec.size());
    }
    rows.setFloats(all);
    return rows;
  }

  private void measureLatency(RunReportBuilder report, Map<String, Path> models, Duration budget) {
    progress.phase("latency", 2);
    long done = 0;
    Map<String, Integer> batches = new LinkedHashMap<>();
    batches.put(RunReport.BATCH_1, 1);
    batches.put(RunReport.BATCH_32, 32);
    for (Map.Entry<String, Integer> batch : batches.entrySet()) {
      try (Tensor rows = images(data.test().orElse(data.validation()), batch.getValue())) {
        Map<String, Latency> measured =
            LatencyMeter.measure(
                models, Map.of(backbone.inputName(), rows), config.threads(), budget);
        measured.forEach((name, l) ->
            report.latency(
                batch.getKey(), name, new RunReport.Latency(l.median(), l.low(), l.high())));
      }
      progress.step(++done, "");
    }
    progress.phaseDone();
  }
}
