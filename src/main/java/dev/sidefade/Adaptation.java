package dev.sidefade;

import dev.sidefade.backbone.Backbone;
import dev.sidefade.backbone.Preprocessing;
import dev.sidefade.backbone.TrunkSpec;
import dev.sidefade.kernels.Device;
import dev.sidefade.kernels.Pooling;
import dev.sidefade.report.RunReport;
import dev.sidefade.tensor.BadInputException;
import dev.sidefade.tensor.Closer;
import dev.sidefade.train.BackboneTail;
import dev.sidefade.train.Checkpoint;
import dev.sidefade.train.DivergedException;
import dev.sidefade.train.DualPath;
import dev.sidefade.train.EpochRecord;
import dev.sidefade.train.ExampleSet;
import dev.sidefade.train.FeatureCache;
import dev.sidefade.train.FeatureFeed;
import dev.sidefade.train.FeatureSource;
import dev.sidefade.train.FeatureUploads;
import dev.sidefade.train.LiveFeatures;
import dev.sidefade.train.Outcome;
import dev.sidefade.train.PathSettings;
import dev.sidefade.train.SidePart;
import dev.sidefade.train.Trainer;
import dev.sidefade.train.TrainingState;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Supplier;
import java.util.stream.Stream;

/** One adaptation from opened files to files written: the order of things. */
final class Adaptation implements AutoCloseable {
  static final String CHECKPOINT = "checkpoint.safetensors";

  /**
   * Memory that a feature cache may take before it goes to a file: a quarter of the heap's limit,
   * at least this.
   */
  private static final long LEAST_CACHE = 256L << 20;

  private final AdaptConfig config;
  private final ProgressListener progress;
  private final long started = System.nanoTime();

  /** Of the epochs that another process trained. */
  private double earlierSeconds;

  private final Closer closer = new Closer();
  private final Backbone backbone;
  private final AdaptationData data;

  private final Map<String, String> hashes;

  /** Of all that decides the result. */
  private final String fingerprint;

  private final AdaptationPlan plan;
  private final Device device;
  private final FeatureUploads uploads;
  private final Optional<Preprocessing> preprocessing;

  Adaptation(AdaptConfig config, ProgressListener progress) throws IOException {
    this(
        config,
        progress,
        () ->
            config.device().equals("auto")
                ? Device.best(config.threads())
                : Device.open(config.device(), config.threads()));
  }

  /**
   * @param opener opens the device
   */
  Adaptation(AdaptConfig config, ProgressListener progress, Supplier<Device> opener)
      throws IOException {
    this.config = config;
    this.progress = progress;
    try {
      checkOut();
      refuseFolderOf(existing(config.backbone()));
      backbone = closer.add(Backbone.load(config.backbone()));
      config.exports().check(backbone.model());
      preprocessing =
          config.task().isText()
              ? Optional.empty()
              : Optional.of(ImageData.preprocessing(config, backbone.preprocessing()));
      data =
          closer.add(
              preprocessing.isPresent()
                  ? ImageData.open(config, preprocessing.get(), backbone.inputName())
                  : TextData.open(config, backbone));
      hashes = InputHashes.of(config, backbone);
      fingerprint = ConfigText.fingerprint(config, hashes, data);
      Path checkpoint = config.out().resolve(CHECKPOINT);
      if (config.resume() && Files.isRegularFile(checkpoint)) {
        Checkpoint.requireSame(checkpoint, fingerprint);
      }
      data.notes().forEach(progress::note);
      plan = AdaptationPlan.of(config, backbone, data);
      plan.check();
      PlanNotes.of(plan, data).forEach(progress::note);
      device = closer.add(opener.get());
      uploads = closer.add(new FeatureUploads(device));
      Files.createDirectories(config.out());
    } catch (RuntimeException | IOException | OutOfMemoryError e) {
      closer.closeAfter(e);
      throw e;
    }
  }

  private static Path existing(Path file) {
    if (!Files.isRegularFile(file)) {
      throw new BadInputException("the backbone " + file + " does not exist or is not a file");
    }
    return file;
  }

  /** What is written could replace the backbone or the data beside it. */
  private void refuseFolderOf(Path file) throws IOException {
    Path folder = file.toAbsolutePath().normalize().getParent();
    Path out = config.out();
    if (folder != null && Files.isDirectory(out) && Files.isSameFile(folder, out)) {
      throw new BadInputException(
          "the backbone "
              + file
              + " lies in the output folder "
              + out
              + ", where it could be overwritten: choose another folder");
    }
  }

  private void checkOut() throws IOException {
    Path out = config.out();
    if (Files.exists(out) && !Files.isDirectory(out)) {
      throw new BadInputException("the output folder " + out + " is a file: choose another");
    }
    if (Files.isDirectory(out) && !config.resume()) {
      try (Stream<Path> entries = Files.list(out)) {
        if (entries.findAny().isPresent()) {
          boolean begun = Files.isRegularFile(out.resolve(CHECKPOINT));
          throw new BadInputException(
              "the output folder "
                  + out
                  + " is not empty: choose another"
                  + (begun ? ", or use --resume to go on with what is in it" : ""));
        }
      }
    }
  }

  /** Features of a frozen trunk that returns these taps: computed once, unless images change. */
  private FeatureSets frozen(List<Integer> taps) throws IOException {
    TrunkSpec spec = TrunkSpec.of(config.threads(), taps);
    FeatureSource source = FeatureSource.of(backbone.openTrunk(spec));
    boolean changing = config.flip() || config.shift() > 0;
    FeatureSets.Maker cached = (what, examples) -> cache(what, examples, source, taps.size());
    FeatureSets.Maker live =
        (what, examples) -> {
          FeatureSource near =
              LiveSource.of(backbone, spec, source, device, closer, progress::note);
          return live(examples, near, taps.size());
        };
    return FeatureSets.of(source, data, plan.trained(data), changing ? live : cached, cached);
  }

  private LiveFeatures live(ExampleSet examples, FeatureSource source, int taps) {
    return closer.add(new LiveFeatures(examples, source, taps, plan.order().rows(), device));
  }

  private FeatureCache cache(String what, ExampleSet examples, FeatureSource source, int taps)
      throws IOException {
    int rows = plan.order().rows();
    long limit = Math.max(LEAST_CACHE, Runtime.getRuntime().maxMemory() / 4);
    progress.phase("features of the " + what + " examples", examples.size());
    try (LiveFeatures live = new LiveFeatures(examples, source, taps, rows, device)) {
      return closer.add(
          FeatureCache.fill(
              live, taps, rows, device, limit, config.out(), done -> progress.step(done, "")));
    } finally {
      progress.phaseDone();
    }
  }

  AdaptResult run(Duration latencyBudget) throws IOException {
    AdaptationFigures figures = new AdaptationFigures(config, plan, data, backbone, device);
    FeatureSets frozen = frozen(Networks.seesTuned(config) ? List.of() : plan.taps());
    runProbes(figures, frozen);
    device.resetPeak();
    try (Networks networks = new Networks(plan, data, device, frozen)) {
      TrainingState state = train(networks);
      figures.training(state, networks, frozen);
      evaluate(figures, networks);
      if (config.measureUnlabelled() && plan.order().unlabelled() > 0) {
        measureWithoutUnlabelled(figures, frozen);
      }
      return new AdaptationOutput(
              config, plan, data, backbone, hashes, preprocessing, device, progress)
          .write(figures, networks, latencyBudget, this::seconds);
    }
  }

  /** Wall-clock time until now, of epochs before a resumption too. */
  private double seconds() {
    return earlierSeconds + (System.nanoTime() - started) / 1e9;
  }

  /** For the report; the model is made without it. */
  private void measureWithoutUnlabelled(AdaptationFigures figures, FeatureSets frozen)
      throws IOException {
    try {
      trainWithoutUnlabelled(figures, frozen);
    } catch (DivergedException e) {
      progress.note(
          "What the unlabelled rows are worth is not known. Without them " + e.getMessage());
    }
  }

  /** The same training over the labelled rows alone. */
  private void trainWithoutUnlabelled(AdaptationFigures figures, FeatureSets frozen)
      throws IOException {
    AdaptationPlan alone = plan.withoutUnlabelled();
    try (Networks networks = new Networks(alone, data, device, frozen)) {
      run(
              "training without unlabelled rows",
              alone,
              alone.pathSettings(),
              networks,
              config.patience())
          .run(new TrainingState(), listener(), state -> {});
      progress.phaseDone();
      networksOf(networks)
          .forEach((name, network) ->
              measure(alone, networks.features(), network, figures::withoutUnlabelled, name));
    }
  }

  /** The baselines: a linear probe as the backbone reads out, and one as the adapted model does. */
  private void runProbes(AdaptationFigures figures, FeatureSets features) throws IOException {
    device.resetPeak();
    probe(figures, features, AdaptationFigures.LINEAR_PROBE, plan.ownPooling());
    figures.probePeak(device.peakBytes());
    if (plan.pooling() != plan.ownPooling()) {
      probe(figures, features, AdaptationFigures.LINEAR_PROBE_READOUT, plan.pooling());
    }
  }

  private void probe(AdaptationFigures figures, FeatureSets features, String name, Pooling pooling)
      throws IOException {
    PathSettings settings = plan.probeSettings();
    try (BackboneTail tail =
            new BackboneTail(plan.tailConfig(pooling, false), device, config.seed(), p -> {});
        DualPath path =
            new DualPath(
                device,
                settings,
                Optional.of(tail),
                Optional.empty(),
                Optional.empty(),
                Optional.empty(),
                Optional.empty(),
                plan.order().rows())) {
      progress.phase("linear probe", settings.schedule().total());
      trainer(plan, settings, path, Optional.of(tail), Optional.empty(), features, 0)
          .run(new TrainingState(), listener(), state -> {});
      progress.phaseDone();
      measure(figures, name, features, tailNetwork(tail));
    }
  }

  private Trainer trainer(
      AdaptationPlan used,
      PathSettings settings,
      DualPath path,
      Optional<BackboneTail> tail,
      Optional<SidePart> side,
      FeatureSets features,
      int patience) {
    return new Trainer(
        device,
        settings,
        new Trainer.Plan(used.epochs(), patience, used.order(), used.answers(data)),
        path,
        tail,
        side,
        uploads.of(features.train()),
        Optional.of(uploads.of(features.validation())));
  }

  private Trainer run(
      String phase, AdaptationPlan used, PathSettings settings, Networks networks, int patience) {
    progress.phase(phase, settings.schedule().total());
    return trainer(
        used,
        settings,
        networks.path(),
        networks.tail(),
        networks.side(),
        networks.features(),
        patience);
  }

  private TrainingState train(Networks networks) throws IOException {
    Checkpoint checkpoint =
        new Checkpoint(
            config.out().resolve(CHECKPOINT),
            fingerprint,
            networks.tail(),
            networks.side(),
            networks.self());
    TrainingState state =
        config.resume() && checkpoint.exists() ? checkpoint.load() : new TrainingState();
    if (state.epochsDone() > 0) {
      progress.note("Resumed after epoch " + state.epochsDone() + ".");
      earlierSeconds = state.history().stream().mapToDouble(EpochRecord::seconds).sum();
    }
    run("training", plan, plan.pathSettings(), networks, config.patience())
        .run(state, listener(), checkpoint::save);
    progress.phaseDone();
    return state;
  }

  private Trainer.Listener listener() {
    return new Trainer.Listener() {
      @Override
      public void stepDone(long step, double loss) {
        progress.step(step, String.format(java.util.Locale.ROOT, "loss %.3f", loss));
      }

      @Override
      public void epochDone(EpochRecord epoch) {}
    };
  }

  private void evaluate(AdaptationFigures figures, Networks networks) {
    networksOf(networks)
        .forEach((name, network) -> measure(figures, name, networks.features(), network));
  }

  private Map<String, Outcome.Network> networksOf(Networks networks) {
    Map<String, Outcome.Network> all = new LinkedHashMap<>();
    networks.tail().ifPresent(tail -> all.put(AdaptationFigures.FADED, tailNetwork(tail)));
    networks
        .side()
        .ifPresent(side ->
            all.put(
                AdaptationFigures.SIDE,
                (trunk, batch) -> side.forward(device.kernels(), trunk, batch)));
    return all;
  }

  private Outcome.Network tailNetwork(BackboneTail tail) {
    return (trunk, batch) -> tail.forward(device.kernels(), trunk, batch);
  }

  /** Hears what a network says of a split. */
  @FunctionalInterface
  private interface Result {
    void add(String split, String name, Outcome outcome);
  }

  private void measure(
      AdaptationFigures figures, String name, FeatureSets features, Outcome.Network network) {
    measure(plan, features, network, figures::outcome, name);
  }

  /** In batches as large as {@code used} trains on: the features have no room for larger ones. */
  private void measure(
      AdaptationPlan used,
      FeatureSets features,
      Outcome.Network network,
      Result result,
      String name) {
    result.add(RunReport.VAL, name, outcome(used, features.validation(), network));
    features
        .test()
        .ifPresent(test -> result.add(RunReport.TEST, name, outcome(used, test, network)));
  }

  private Outcome outcome(AdaptationPlan used, FeatureFeed feed, Outcome.Network network) {
    return Outcome.of(uploads.of(feed), used.order().rows(), used.answers(data), network);
  }

  @Override
  public void close() {
    closer.close();
  }
}
