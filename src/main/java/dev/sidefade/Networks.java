package dev.sidefade;

import dev.sidefade.backbone.Backbone;
import dev.sidefade.backbone.TunedTrunk;
import dev.sidefade.backbone.TunedTrunkSpec;
import dev.sidefade.backbone.Tuning;
import dev.sidefade.distill.Direction;
import dev.sidefade.distill.ReverseFeaturePath;
import dev.sidefade.kernels.Device;
import dev.sidefade.layers.Parameters;
import dev.sidefade.side.SideConfig;
import dev.sidefade.tensor.Closer;
import dev.sidefade.train.BackboneTail;
import dev.sidefade.train.DualPath;
import dev.sidefade.train.InnerConstants;
import dev.sidefade.train.LiveFeatures;
import dev.sidefade.train.SelfTeacher;
import dev.sidefade.train.SidePart;
import dev.sidefade.train.TokenDropout;
import java.io.IOException;
import java.util.List;
import java.util.Optional;

/** What learns in an adaptation, and the features that it learns from. */
final class Networks implements AutoCloseable {
  /** Of the running mean of a backbone that teaches itself: the mean of some hundred steps. */
  private static final float USUAL_DECAY = 0.99f;

  private final AdaptationPlan plan;
  private final Device device;
  private final Closer closer = new Closer();
  private final Optional<InnerConstants> inner;
  private final Optional<SidePart> side;
  private final Optional<BackboneTail> tail;
  private final Optional<SelfTeacher> self;
  private final FeatureSets features;
  private final DualPath path;

  /** Declared with the tail's parameters, where the side network teaches features. */
  private Optional<ReverseFeaturePath> reverse = Optional.empty();

  /**
   * @param frozen features of the pretrained backbone, with the taps unless {@link #seesTuned}
   */
  Networks(AdaptationPlan plan, AdaptationData data, Device device, FeatureSets frozen)
      throws IOException {
    this.plan = plan;
    this.device = device;
    AdaptConfig config = plan.config();
    try {
      List<Integer> taps = seesTuned(config) ? plan.taps() : List.of();
      inner = config.tune().inside().map(tuning -> new InnerConstants(trunk(tuning, taps)));
      side = config.side() == SideKind.NONE ? Optional.empty() : Optional.of(sidePart());
      tail = config.tune().kind() == Tune.Kind.NONE ? Optional.empty() : Optional.of(tailPart());
      self = plan.selfTeaches() ? inner.map(this::selfTeacher) : Optional.empty();
      if (inner.isEmpty()) {
        features = frozen;
      } else {
        FeatureSets learning = learning(inner.get(), data, taps.size());
        // nobody reads frozen taps where there is no side network
        boolean alone = seesTuned(config) || config.side() == SideKind.NONE;
        features = alone ? learning : frozen.beside(learning);
      }
      path =
          closer.add(
              new DualPath(
                  device,
                  plan.pathSettings(),
                  tail,
                  side,
                  reverse,
                  inner,
                  self,
                  plan.order().rows()));
    } catch (RuntimeException | IOException | OutOfMemoryError e) {
      closer.closeAfter(e);
      throw e;
    }
  }

  /** Whether the side network reads the taps of the backbone as it is tuned. */
  static boolean seesTuned(AdaptConfig config) {
    return config.tune().inside().isPresent() && config.sideView() == SideView.TUNED;
  }

  Optional<InnerConstants> inner() {
    return inner;
  }

  Optional<SidePart> side() {
    return side;
  }

  Optional<BackboneTail> tail() {
    return tail;
  }

  Optional<SelfTeacher> self() {
    return self;
  }

  FeatureSets features() {
    return features;
  }

  DualPath path() {
    return path;
  }

  private TunedTrunk trunk(Tuning tuning, List<Integer> taps) {
    Backbone backbone = plan.backbone();
    int threads = plan.config().threads();
    return closer.add(
        TunedTrunk.open(
            backbone, new TunedTrunkSpec(threads, taps, tuning, plan.gradientMemory())));
  }

  /** Features of a trunk whose constants learn: computed for every batch. */
  private FeatureSets learning(InnerConstants constants, AdaptationData data, int taps)
      throws IOException {
    int rows = plan.order().rows();
    return FeatureSets.of(
        constants.evaluation(),
        data,
        plan.trained(data),
        (what, examples) ->
            closer.add(
                new LiveFeatures(
                    examples, constants.training(), taps, rows, device, dropout(), self)),
        (what, examples) ->
            closer.add(new LiveFeatures(examples, constants.evaluation(), taps, rows, device)));
  }

  private Optional<TokenDropout> dropout() {
    AdaptConfig config = plan.config();
    boolean pooled = config.task() != TaskKind.TOKENS;
    return config.tokenDropout() > 0
        ? Optional.of(new TokenDropout((float) config.tokenDropout(), config.seed(), pooled))
        : Optional.empty();
  }

  private SelfTeacher selfTeacher(InnerConstants constants) {
    float decay = plan.pathSettings().teacherAverage();
    return closer.add(
        new SelfTeacher(
            tail.orElseThrow(),
            constants.evaluation(),
            device,
            decay > 0 ? decay : USUAL_DECAY,
            plan.selfTeachesFrom(),
            plan.order().rows()));
  }

  private SidePart sidePart() {
    SideConfig config = plan.sideConfig();
    return closer.add(
        new SidePart(
            config,
            plan.featureConfig(config),
            plan.sideLayout(),
            device,
            plan.config().seed(),
            plan.pathSettings().sideAverage()));
  }

  private BackboneTail tailPart() {
    AdaptConfig config = plan.config();
    return closer.add(
        new BackboneTail(
            plan.tailConfig(plan.pooling(), config.tune().lastNorm()),
            device,
            config.seed(),
            this::declareFurther));
  }

  private void declareFurther(Parameters parameters) {
    AdaptConfig config = plan.config();
    inner.ifPresent(constants -> constants.declare(parameters));
    if (config.features() == Direction.SIDE_TO_BACKBONE && side.isPresent()) {
      reverse =
          Optional.of(
              new ReverseFeaturePath(
                  parameters,
                  plan.backbone().finalNormScale().length,
                  side.get().network().config().width(),
                  config.alignmentRank(),
                  (float) config.imitationWeight()));
    }
  }

  @Override
  public void close() {
    closer.close();
  }
}
