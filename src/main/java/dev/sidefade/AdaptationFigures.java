package dev.sidefade;

import dev.sidefade.backbone.Backbone;
import dev.sidefade.kernels.Device;
import dev.sidefade.layers.Parameter;
import dev.sidefade.onnx.ElementType;
import dev.sidefade.onnx.Initializer;
import dev.sidefade.report.RunReport;
import dev.sidefade.report.RunReportBuilder;
import dev.sidefade.train.BackboneTail;
import dev.sidefade.train.EpochRecord;
import dev.sidefade.train.InnerConstants;
import dev.sidefade.train.Outcome;
import dev.sidefade.train.SidePart;
import dev.sidefade.train.TrainingState;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;

/** Gathers what is measured during an adaptation. */
final class AdaptationFigures {
  static final String LINEAR_PROBE = RunReport.LINEAR_PROBE;

  /**
   * A linear probe with the read-out of the adapted model, where that is not the backbone's own.
   */
  static final String LINEAR_PROBE_READOUT = "linear_probe_same_readout";

  static final String FADED = RunReport.FADED;
  static final String SIDE = RunReport.SIDE;

  private final RunReportBuilder report;
  private final Device device;
  private final AdaptationPlan plan;
  private final Map<String, Outcome> validation = new LinkedHashMap<>();
  private final Map<String, Outcome> test = new LinkedHashMap<>();

  AdaptationFigures(
      AdaptConfig config,
      AdaptationPlan plan,
      AdaptationData data,
      Backbone backbone,
      Device device) {
    this.device = device;
    this.plan = plan;
    report =
        RunReport.builder(
                "Sidefade: " + backbone.file().getFileName() + " adapted to " + config.train())
            .task(taskText(config.task()))
            .classNames(data.classNames())
            .seed(config.seed())
            .device(device.name())
            .config(ConfigText.of(config));
    long parameters =
        backbone.model().graph().initializers().values().stream()
            .filter(i -> i.type() == ElementType.FLOAT && i.dims().length > 0)
            .mapToLong(Initializer::size)
            .sum();
    report.parameters(RunReport.BACKBONE, parameters);
    data.notes().forEach(report::note);
  }

  RunReportBuilder report() {
    return report;
  }

  void probePeak(long bytes) {
    report.memoryBytes(RunReport.PROBE_PEAK, bytes);
  }

  private static String taskText(TaskKind task) {
    return switch (task) {
      case IMAGE -> "image classification";
      case TEXT -> "text classification";
      case REGRESSION -> "regression of texts";
      case TOKENS -> "token classification";
    };
  }

  /** How a network does on a split. */
  void outcome(String split, String name, Outcome outcome) {
    (split.equals(RunReport.TEST) ? test : validation).put(name, outcome);
    add(split, name, outcome);
  }

  private void add(String split, String name, Outcome outcome) {
    report.scoreName(outcome.scoreName());
    outcome.measures().forEach((measure, value) -> add(measure, split, name, value));
  }

  private void add(String measure, String split, String name, double value) {
    if (!Double.isNaN(value)) {
      report.measure(measure, split, name, value);
    }
  }

  /** What the same training gives without the unlabelled rows. */
  void withoutUnlabelled(String split, String name, Outcome outcome) {
    if (!Double.isNaN(outcome.score())) {
      report.withoutUnlabelled(split, name, outcome.score());
    }
  }

  /** Scores of a split by network, for a model's metadata. */
  Map<String, Object> scores() {
    Map<String, Object> all = new LinkedHashMap<>();
    validation.forEach((name, o) -> all.put("val_" + name, rounded(o.score())));
    test.forEach((name, o) -> all.put("test_" + name, rounded(o.score())));
    return all;
  }

  private static String rounded(double share) {
    return String.format(Locale.ROOT, "%.4f", share);
  }

  /**
   * The evaluation that the confusion matrix and the pictures show: of what ships, on test rows if
   * there are any.
   */
  Map.Entry<String, Outcome> shown() {
    boolean hasTest = !test.isEmpty();
    Map<String, Outcome> from = hasTest ? test : validation;
    Outcome outcome = from.containsKey(FADED) ? from.get(FADED) : from.get(SIDE);
    return Map.entry(hasTest ? RunReport.TEST : RunReport.VAL, outcome);
  }

  /**
   * @param frozen features of the pretrained backbone, which are held throughout
   */
  void training(TrainingState state, Networks networks, FeatureSets frozen) {
    Optional<BackboneTail> tail = networks.tail();
    Optional<SidePart> side = networks.side();
    for (EpochRecord epoch : state.history()) {
      report.epoch(
          new RunReport.EpochRow(
              epoch.epoch(),
              epoch.losses(),
              optional(epoch.validationFaded()),
              optional(epoch.validationSide()),
              epoch.learningRate(),
              epoch.seconds()));
      if (side.isPresent()) {
        report.tapSnapshot(
            new RunReport.TapSnapshot(
                epoch.epoch(), epoch.gates(), OptionalDouble.of(epoch.maskKeepRatio())));
      }
    }
    side.ifPresent(
        s -> report.tapNames(plan.taps().stream().skip(1).map(tap -> "tap " + tap).toList()));
    long kept = networks.inner().map(InnerConstants::keptBytes).orElse(0L);
    // ONNX Runtime holds those outside of the device's books
    report.memoryBytes(RunReport.TRAINING_PEAK, device.peakBytes() + kept);
    report.memoryBytes(RunReport.ACTIVATIONS_KEPT, kept);
    report.memoryBytes(RunReport.TAPS, tapBytes());
    frozen.cachedBytes().ifPresent(bytes -> report.memoryBytes(RunReport.FEATURE_CACHE, bytes));
    report.parameters(RunReport.TUNED, tail.map(this::tuned).orElse(0L));
    report.parameters(RunReport.SIDE, side.map(SidePart::networkParameters).orElse(0L));
    if (state.stopped()) {
      report.note("Training stopped early, after epoch " + state.epochsDone() + ".");
    }
  }

  private long tuned(BackboneTail tail) {
    boolean norm = plan.config().tune().lastNorm();
    return tail.parameters().all().stream()
        .filter(p -> p.role() != Parameter.Role.SIDE && (p.role() != Parameter.Role.NORM || norm))
        .mapToLong(p -> p.shape().size())
        .sum();
  }

  /** Bytes of the frozen features that one step reads. */
  private long tapBytes() {
    long floats = 0;
    for (int tap : plan.taps()) {
      floats += (long) plan.sideLayout().rows() * plan.backbone().width(tap);
    }
    return 4 * floats;
  }

  private static OptionalDouble optional(double value) {
    return Double.isNaN(value) ? OptionalDouble.empty() : OptionalDouble.of(value);
  }
}
