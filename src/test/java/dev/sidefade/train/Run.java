package dev.sidefade.train;

import dev.sidefade.distill.Direction;
import dev.sidefade.distill.ReverseFeaturePath;
import dev.sidefade.kernels.Device;
import dev.sidefade.layers.Parameter;
import dev.sidefade.layers.Parameters;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** All objects of one training of a {@link Setup}. */
final class Run implements AutoCloseable {
  static final Trainer.Listener SILENT =
      new Trainer.Listener() {
        @Override
        public void stepDone(long step, double loss) {}

        @Override
        public void epochDone(EpochRecord epoch) {}
      };

  final Setup setup;
  final Device device;
  final SyntheticFeed train;
  final SyntheticFeed validation;
  final Optional<SidePart> side;
  final Optional<BackboneTail> tail;
  final DualPath path;
  private final FeatureUploads uploads;
  private final boolean ownsDevice;
  private final List<ResidentFeed> resident = new ArrayList<>();

  Run(Setup setup) {
    this(setup, Device.cpu(setup.threads), true);
  }

  /** On a device that somebody else closes. */
  Run(Setup setup, Device device) {
    this(setup, device, false);
  }

  private Run(Setup setup, Device device, boolean ownsDevice) {
    this.setup = setup;
    this.device = device;
    this.ownsDevice = ownsDevice;
    uploads = new FeatureUploads(device);
    train = feed(setup.labelled, setup.unlabelled, true, 31);
    validation = feed(setup.validation, 0, setup.guessableValidation, 32);
    side =
        setup.withSide
            ? Optional.of(
                new SidePart(
                    setup.side(),
                    setup.featureConfig(),
                    setup.layout,
                    device,
                    setup.seed,
                    setup.settings().sideAverage()))
            : Optional.empty();
    ReverseFeaturePath[] reverse = new ReverseFeaturePath[1];
    tail =
        setup.withTail
            ? Optional.of(
                new BackboneTail(
                    setup.tail(), device, setup.seed, p -> reverse[0] = reversePath(p)))
            : Optional.empty();
    path =
        new DualPath(
            device,
            setup.settings(),
            tail,
            side,
            Optional.ofNullable(reverse[0]),
            Optional.empty(),
            Optional.empty(),
            setup.layout.batch());
  }

  private SyntheticFeed feed(int labelled, int unlabelled, boolean guessable, long seed) {
    return new SyntheticFeed(
        setup.layout, setup.widths, labelled, unlabelled, setup.classes, guessable, seed);
  }

  private ReverseFeaturePath reversePath(Parameters parameters) {
    return setup.features == Direction.SIDE_TO_BACKBONE && side.isPresent()
        ? new ReverseFeaturePath(parameters, setup.widths.getLast(), setup.sideWidth, 4, 0.5f)
        : null;
  }

  Trainer trainer() {
    return new Trainer(
        device,
        setup.settings(),
        new Trainer.Plan(setup.epochs, setup.patience, setup.order(), setup.answers()),
        path,
        tail,
        side,
        delivered(train),
        Optional.of(delivered(validation)));
  }

  private FeatureFeed delivered(FeatureFeed feed) {
    return uploads.of(setup.featuresOnDevice ? resident(feed) : feed);
  }

  private FeatureFeed resident(FeatureFeed feed) {
    ResidentFeed made = new ResidentFeed(feed, device);
    resident.add(made);
    return made;
  }

  /** Trains to the end. */
  TrainingState train() throws IOException {
    TrainingState state = new TrainingState();
    trainer().run(state, SILENT, s -> {});
    return state;
  }

  /** Takes the first steps by hand, and returns the means of the losses. */
  Map<String, Double> steps(int count) {
    StepLosses losses = new StepLosses();
    FeatureFeed feed = uploads.of(train);
    feed.start(0, setup.order().epoch(0), setup.order().rows());
    for (int i = 0; i < count; i++) {
      path.step(feed.next(), i, losses);
    }
    return losses.means();
  }

  Checkpoint checkpoint(Path file, String fingerprint) {
    return new Checkpoint(file, fingerprint, tail, side, Optional.empty());
  }

  /** Values of all parameters by name, "tail." or "side." before it. */
  Map<String, List<Float>> values() {
    Map<String, List<Float>> values = new LinkedHashMap<>();
    tail.ifPresent(t -> put(values, "tail.", t.parameters()));
    side.ifPresent(s -> put(values, "side.", s.parameters()));
    return values;
  }

  private static void put(Map<String, List<Float>> values, String prefix, Parameters parameters) {
    for (Parameter p : parameters.all()) {
      values.put(prefix + p.name(), list(p.value().toFloats()));
    }
  }

  private static List<Float> list(float[] values) {
    Float[] boxed = new Float[values.length];
    Arrays.setAll(boxed, i -> values[i]);
    return List.of(boxed);
  }

  /**
   * Everything that a training leaves: values and moments of both parts, every bit of them, and its
   * history.
   */
  record Outcome(Map<String, List<Float>> tensors, List<EpochRecord> history, boolean stopped) {}

  Outcome outcome(TrainingState state) {
    Map<String, List<Float>> tensors = new LinkedHashMap<>(values());
    tail.ifPresent(t -> putMoments(tensors, "tail.", t.parameters()));
    side.ifPresent(s -> putMoments(tensors, "side.", s.parameters()));
    return new Outcome(
        tensors, state.history().stream().map(Run::withoutTime).toList(), state.stopped());
  }

  private static void putMoments(
      Map<String, List<Float>> tensors, String prefix, Parameters parameters) {
    tensors.put(prefix + "first", list(parameters.firstMoments().toFloats()));
    tensors.put(prefix + "second", list(parameters.secondMoments().toFloats()));
  }

  private static EpochRecord withoutTime(EpochRecord e) {
    return new EpochRecord(
        e.epoch(),
        e.losses(),
        e.validationFaded(),
        e.validationSide(),
        e.learningRate(),
        e.gates(),
        e.maskKeepRatio(),
        0);
  }

  @Override
  public void close() {
    path.close();
    uploads.close();
    resident.forEach(ResidentFeed::close);
    tail.ifPresent(BackboneTail::close);
    side.ifPresent(SidePart::close);
    train.close();
    validation.close();
    if (ownsDevice) {
      device.close();
    }
  }
}
