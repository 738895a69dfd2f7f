package dev.sidefade;

import dev.sidefade.backbone.Backbone;
import dev.sidefade.backbone.Preprocessing;
import dev.sidefade.backbone.Trunk;
import dev.sidefade.data.Augmentation;
import dev.sidefade.data.ImageSource;
import dev.sidefade.data.ImageSpec;
import dev.sidefade.distill.Direction;
import dev.sidefade.distill.ReverseFeaturePath;
import dev.sidefade.kernels.Device;
import dev.sidefade.kernels.Pooling;
import dev.sidefade.side.SideConfig;
import dev.sidefade.tensor.BadInputException;
import dev.sidefade.train.BackboneTail;
import dev.sidefade.train.Checkpoint;
import dev.sidefade.train.DualPath;
import dev.sidefade.train.EpochRecord;
import dev.sidefade.train.Evaluation;
import dev.sidefade.train.FeatureCache;
import dev.sidefade.train.FeatureFeed;
import dev.sidefade.train.LiveFeatures;
import dev.sidefade.train.PathSettings;
import dev.sidefade.train.SidePart;
import dev.sidefade.train.Trainer;
import dev.sidefade.train.TrainingState;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;
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
  private final Closer closer = new Closer();
  private final Backbone backbone;
  private final AdaptationData data;
  private final AdaptationPlan plan;
  private final Device device;
  private final Preprocessing preprocessing;
  private final Trunk trunk;
  private final FeatureFeed train;
  private final FeatureCache validation;
  private final Optional<FeatureCache> test;

  Adaptation(AdaptConfig config, ProgressListener progress) throws IOException {
    this.config = config;
    this.progress = progress;
    try {
      checkOut();
      backbone = closer.add(Backbone.load(existing(config.backbone())));
      preprocessing = AdaptationData.preprocessing(config, backbone.preprocessing());
      data = closer.add(AdaptationData.open(config));
      data.notes().forEach(progress::note);
      plan = AdaptationPlan.of(config, backbone, data);
      plan.check();
      device =
          closer.add(
              config.device().equals("auto")
                  ? Device.best(config.threads())
                  : Device.open(config.device(), config.threads()));
      Files.createDirectories(config.out());
      trunk = backbone.openTrunk(config.threads(), plan.taps());
      train = closer.add(trainingFeatures());
      validation = closer.add(cache("features of the validation images", data.validation()));
      test =
          data.test().isPresent()
              ? Optional.of(closer.add(cache("features of the test images", data.test().get())))
              : Optional.empty();
    } catch (RuntimeException | IOException e) {
      closer.close();
      throw e;
    }
  }

  private static Path existing(Path file) {
    if (!Files.isRegularFile(file)) {
      throw new BadInputException("the backbone " + file + " does not exist or is not a file");
    }
    return file;
  }

  private void checkOut() throws IOException {
    Path out = config.out();
    if (Files.exists(out) && !Files.isDirectory(out)) {
      throw new BadInputException("the output folder " + out + " is a file: choose another");
    }
    if (Files.isDirectory(out) && !config.resume()) {
      try (Stream<Path> entries = Files.list(out)) {
        if (entries.findAny().isPresent()) {
          throw new BadInputException(
              "the output folder "
                  + out
                  + " is not empty: choose another, or use --resume to go on with what is in it");
        }
      }
    }
  }

  private FeatureFeed trainingFeatures() throws IOException {
    Augmentation augmentation = new Augmentation(config.flip(), config.shift());
    if (augmentation.isNone()) {
      return cache("features of the training images", data.train());
    }
    return live(data.train(), augmentation, plan.order().rows());
  }

  private LiveFeatures live(ImageSource images, Augmentation augmentation, int rows) {
    ImageSpec spec = AdaptationData.spec(preprocessing);
    return new LiveFeatures(
        images, spec, augmentation, config.seed(), trunk, plan.taps().size(), rows, device);
  }

  private FeatureCache cache(String phase, ImageSource images) throws IOException {
    int rows = plan.order().rows();
    long limit = Math.max(LEAST_CACHE, Runtime.getRuntime().maxMemory() / 4);
    progress.phase(phase, images.size());
    try (LiveFeatures live = live(images, Augmentation.NONE, rows)) {
      return FeatureCache.fill(
          live,
          trunk,
          plan.taps().size(),
          rows,
          device,
          limit,
          config.out(),
          done -> progress.step(done, ""));
    } finally {
      progress.phaseDone();
    }
  }

  AdaptResult run(Duration latencyBudget) throws IOException {
    AdaptationFigures figures = new AdaptationFigures(config, plan, data, backbone, device);
    runProbes(figures);
    device.resetPeak();
    Optional<SidePart> side = sidePart();
    ReverseFeaturePath[] reversePath = new ReverseFeaturePath[1];
    Optional<BackboneTail> tail =
        config.tune() == Tune.NONE ? Optional.empty() : Optional.of(tail(side, reversePath));
    try (DualPath path =
        new DualPath(
            device,
            plan.pathSettings(),
            tail,
            side,
            Optional.ofNullable(reversePath[0]),
            plan.order().rows())) {
      TrainingState state = train(path, tail, side);
      figures.training(state, tail, side, train);
      evaluate(figures, tail, side);
      return new AdaptationOutput(config, plan, data, backbone, preprocessing, device, progress)
          .write(figures, tail, side, trunk, latencyBudget, started);
    }
  }

  private BackboneTail tail(Optional<SidePart> side, ReverseFeaturePath[] reverse) {
    return closer.add(
        new BackboneTail(
            plan.tailConfig(plan.pooling(), config.tune() == Tune.FINAL_NORM),
            device,
            config.seed(),
            parameters -> {
              if (config.features() == Direction.SIDE_TO_BACKBONE && side.isPresent()) {
                SideConfig s = side.get().network().config();
                reverse[0] =
                    new ReverseFeaturePath(
                        parameters,
                        backbone.finalNormScale().length,
                        s.width(),
                        config.alignmentRank(),
                        (float) config.imitationWeight());
              }
            }));
  }

  private Optional<SidePart> sidePart() {
    if (config.side() == SideKind.NONE) {
      return Optional.empty();
    }
    SideConfig side = plan.sideConfig();
    return Optional.of(
        closer.add(
            new SidePart(
                side, plan.featureConfig(side), plan.sideLayout(), device, config.seed())));
  }

  /** The baselines: a linear probe as the backbone reads out, and one as the adapted model does. */
  private void runProbes(AdaptationFigures figures) throws IOException {
    device.resetPeak();
    probe(figures, AdaptationFigures.LINEAR_PROBE, plan.ownPooling());
    figures.probePeak(device.peakBytes());
    if (plan.pooling() != plan.ownPooling()) {
      probe(figures, AdaptationFigures.LINEAR_PROBE_READOUT, plan.pooling());
    }
  }

  private void probe(AdaptationFigures figures, String name, Pooling pooling) throws IOException {
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
                plan.order().rows())) {
      run("linear probe", settings, path, Optional.of(tail), Optional.empty(), 0)
          .run(new TrainingState(), listener(), state -> {});
      progress.phaseDone();
      measure(figures, name, tail);
    }
  }

  private Trainer run(
      String phase,
      PathSettings settings,
      DualPath path,
      Optional<BackboneTail> tail,
      Optional<SidePart> side,
      int patience) {
    progress.phase(phase, settings.schedule().total());
    return new Trainer(
        device,
        settings,
        new Trainer.Plan(config.epochs(), patience, plan.order()),
        path,
        tail,
        side,
        train,
        Optional.of(validation));
  }

  private TrainingState train(DualPath path, Optional<BackboneTail> tail, Optional<SidePart> side)
      throws IOException {
    Checkpoint checkpoint =
        new Checkpoint(
            config.out().resolve(CHECKPOINT), ConfigText.fingerprint(config, backbone), tail, side);
    TrainingState state =
        config.resume() && checkpoint.exists() ? checkpoint.load() : new TrainingState();
    if (state.epochsDone() > 0) {
      progress.note("Resumed after epoch " + state.epochsDone() + ".");
    }
    run("training", plan.pathSettings(), path, tail, side, config.patience())
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

  private void evaluate(
      AdaptationFigures figures, Optional<BackboneTail> tail, Optional<SidePart> side) {
    tail.ifPresent(t -> measure(figures, AdaptationFigures.FADED, t));
    side.ifPresent(s -> {
      Evaluation.Network network =
          (features, batch) -> s.forward(device.kernels(), features, batch);
      measure(figures, AdaptationFigures.SIDE, network);
    });
  }

  private void measure(AdaptationFigures figures, String name, BackboneTail tail) {
    measure(
        figures, name, (features, batch) -> tail.forward(device.kernels(), features.last(), batch));
  }

  private void measure(AdaptationFigures figures, String name, Evaluation.Network network) {
    int rows = plan.order().rows();
    figures.validation(name, Evaluation.of(validation, rows, plan.classes(), network));
    test.ifPresent(t -> figures.test(name, Evaluation.of(t, rows, plan.classes(), network)));
  }

  @Override
  public void close() {
    closer.close();
  }
}
