package dev.sidefade;

import dev.sidefade.backbone.Backbone;
import dev.sidefade.backbone.BackboneStructure;
import dev.sidefade.backbone.GradientMemory;
import dev.sidefade.backbone.ReadOut;
import dev.sidefade.backbone.TokenGrid;
import dev.sidefade.distill.Direction;
import dev.sidefade.distill.FeatureConfig;
import dev.sidefade.kernels.Pooling;
import dev.sidefade.kernels.TokenLayout;
import dev.sidefade.side.BlockKind;
import dev.sidefade.side.SideConfig;
import dev.sidefade.tensor.BadInputException;
import dev.sidefade.text.TextInput;
import dev.sidefade.train.Answers;
import dev.sidefade.train.BackboneTail;
import dev.sidefade.train.EpochOrder;
import dev.sidefade.train.ExampleSet;
import dev.sidefade.train.KlRows;
import dev.sidefade.train.KlWeight;
import dev.sidefade.train.LearningRate;
import dev.sidefade.train.PathSettings;
import dev.sidefade.train.Task;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/**
 * What follows from a configuration once the backbone is known.
 *
 * @param taps that the side network reads
 * @param pooling of the adapted model
 * @param ownPooling of the pretrained model, of the linear probe
 * @param sideLayout tokens at the taps, for the largest batch
 * @param tailLayout tokens that enter the last norm; one when the backbone pools before it
 * @param task what is learned
 * @param epochs passes over the training rows
 * @param classes number of logits of an example or token
 */
record AdaptationPlan(
    AdaptConfig config,
    Backbone backbone,
    List<Integer> taps,
    Pooling pooling,
    Pooling ownPooling,
    TokenLayout sideLayout,
    TokenLayout tailLayout,
    Task task,
    int epochs,
    int classes,
    EpochOrder order) {
  /** Smallest width of a side network that is chosen for the user. */
  private static final int LEAST_WIDTH = 16;

  private static final int HEAD_WIDTH = 16;
  private static final float SIDE_EPSILON = 1e-6f;
  private static final float GATE_TEMPERATURE = 0.1f;

  /** Floats that a transformer block's gradient keeps, in widths: norms, qkv, MLP of 4, sums. */
  private static final double VALUES_PER_TOKEN = 18;

  /** Bytes of a gradient's activations above which the taps are the checkpoints. */
  private static final double LARGEST_STORED = 1L << 30;

  static AdaptationPlan of(AdaptConfig config, Backbone backbone, AdaptationData data) {
    BackboneStructure structure = backbone.structure();
    EpochOrder order = EpochOrder.of(data.train(), data.labelled(), config.batch(), config.seed());
    TokenLayout layout = layout(structure, config, data, order.rows());
    boolean pooledFirst = structure.readOut().beforeNorm();
    Pooling own = ownPooling(structure, layout, data);
    Pooling pooling = config.readout().orElse(own);
    if (data.task() == Task.TOKENS && (pooledFirst || pooling != Pooling.TOKENS)) {
      throw new BadInputException(
          "classes of words are read from every token: leave --readout away, and use a backbone"
              + " that does not pool its tokens");
    }
    if (data.task() != Task.TOKENS && pooling == Pooling.TOKENS) {
      throw new BadInputException(
          "a read-out of every token is for classes of words: choose cls, mean or cls+mean");
    }
    if (pooledFirst && pooling != own) {
      throw new BadInputException(
          "the backbone pools its tokens before its last norm, so only its own read-out can be"
              + " used: leave --readout away");
    }
    if (pooledFirst && config.features() == Direction.SIDE_TO_BACKBONE) {
      throw new BadInputException(
          "the backbone pools its tokens before its last norm, so the feature path cannot lead to"
              + " it: choose --features backbone-to-side or off");
    }
    boolean first = pooling == Pooling.CLS || pooling == Pooling.CLS_MEAN;
    if (first && !config.task().isText() && layout.prefix() == 0 && !pooledFirst) {
      throw new BadInputException(
          "the backbone has no class token: choose --readout mean instead of cls or cls+mean");
    }
    AdaptationPlan plan =
        new AdaptationPlan(
            config,
            backbone,
            config.side() == SideKind.NONE ? List.of() : taps(config, structure),
            pooling,
            own,
            layout,
            pooledFirst ? new TokenLayout(order.rows(), 1, 0, 0, 0) : layout,
            data.task(),
            config.epochs(),
            data.classes(),
            order);
    return readsUnlabelled(config) ? plan : plan.withoutUnlabelled();
  }

  /** Whether rows without labels teach anything: only what a teacher says of them does. */
  private static boolean readsUnlabelled(AdaptConfig config) {
    return selfTeaches(config)
        || config.side() != SideKind.NONE
            && (config.features() != Direction.OFF
                || config.logits() != Direction.OFF && config.tune().kind() != Tune.Kind.NONE);
  }

  /** The training examples that are used: the first ones, those with labels, or all. */
  ExampleSet trained(AdaptationData data) {
    return data.train().first(Math.addExact(order.labelled(), order.unlabelled()));
  }

  /** Refuses what cannot be built, before anything is computed. */
  void check() {
    checkFirstTurn();
    ConfigChecks.checkGradients(config.gradientMode(), config.microBatch());
    if (config.side() != SideKind.NONE) {
      featureConfig(sideConfig());
    }
    tailConfig(pooling, false);
    if (config.tokenDropout() > 0
        && backbone.structure().inputs().stream()
            .noneMatch(input -> TextInput.MASK.names().contains(input.name()))) {
      throw new BadInputException(
          "token dropout hides tokens through an attention mask, and the backbone takes none:"
              + " leave --token-dropout away");
    }
  }

  /** Both a head start of the side network and rare turns of the backbone delay its first one. */
  private void checkFirstTurn() {
    PathSettings settings = pathSettings();
    long first = settings.firstTurn(bothLearn());
    long steps = settings.schedule().total();
    if (first >= steps) {
      throw new BadInputException(
          "the backbone's first turn would be at step "
              + first
              + " of "
              + steps
              + ", so it would never learn: give fewer with --side-ahead or --backbone-every, or"
              + " more with --epochs");
    }
  }

  /** Whether there are a side network and something of the backbone that learn. */
  boolean bothLearn() {
    return config.side() != SideKind.NONE && config.tune().kind() != Tune.Kind.NONE;
  }

  private static TokenLayout layout(
      BackboneStructure structure, AdaptConfig config, AdaptationData data, int batch) {
    if (config.task().isText()) {
      int longest =
          Stream.of(data.train(), data.validation(), data.shown())
              .mapToInt(set -> set.paddedTokens(set.longest()))
              .max()
              .orElseThrow();
      return new TokenLayout(batch, longest, 0, 0, 0);
    }
    long tokens = structure.lastTap().tokens();
    if (tokens < 1) {
      throw new BadInputException(
          "the number of tokens of the backbone depends on its input: a fixed image size is"
              + " needed");
    }
    Optional<TokenGrid> grid = structure.grid();
    return new TokenLayout(
        batch,
        Math.toIntExact(tokens),
        grid.map(g -> Math.toIntExact(g.prefixTokens())).orElse(0),
        grid.map(g -> Math.toIntExact(g.height())).orElse(0),
        grid.map(g -> Math.toIntExact(g.width())).orElse(0));
  }

  private static Pooling ownPooling(
      BackboneStructure structure, TokenLayout layout, AdaptationData data) {
    if (data.task() == Task.TOKENS) {
      return Pooling.TOKENS;
    }
    ReadOut readOut = structure.readOut();
    return switch (readOut.kind()) {
      case CLS -> Pooling.CLS;
      // an encoder of sentences without a head: its pooler is left from pretraining
      case POOLER -> structure.head().isPresent() ? Pooling.CLS : Pooling.MEAN;
      case MEAN -> Pooling.MEAN;
      case NONE -> layout.prefix() > 0 ? Pooling.CLS : Pooling.MEAN;
    };
  }

  private static List<Integer> taps(AdaptConfig config, BackboneStructure structure) {
    int blocks = structure.blocks();
    if (config.taps().isEmpty()) {
      return IntStream.rangeClosed(0, blocks).boxed().toList();
    }
    List<Integer> sorted = config.taps().stream().sorted().toList();
    if (new HashSet<>(sorted).size() != sorted.size()) {
      throw new BadInputException("--taps names a tap twice: " + config.taps());
    }
    for (int tap : sorted) {
      if (tap < 0 || tap > blocks) {
        throw new BadInputException(
            "there is no tap " + tap + ": the backbone has taps 0 (embeddings) to " + blocks);
      }
    }
    return sorted;
  }

  SideConfig sideConfig() {
    List<Integer> widths = taps.stream().map(backbone::width).toList();
    int wide = widths.getLast();
    int width =
        config
            .sideWidth()
            .orElse(Math.max(LEAST_WIDTH, Math.ceilDiv(wide, 4 * HEAD_WIDTH) * HEAD_WIDTH));
    boolean transformer = config.side() == SideKind.TRANSFORMER;
    int heads = Math.max(1, width / HEAD_WIDTH);
    if (transformer && width % heads != 0) {
      throw new BadInputException(
          "a side width of "
              + width
              + " cannot be divided into "
              + heads
              + " heads of "
              + HEAD_WIDTH
              + ": choose a multiple of "
              + HEAD_WIDTH);
    }
    return new SideConfig(
        transformer ? BlockKind.TRANSFORMER : BlockKind.ADAPTER,
        widths,
        width,
        heads,
        transformer ? 2 * width : Math.max(1, width / 2),
        pooling,
        classes,
        SIDE_EPSILON,
        GATE_TEMPERATURE,
        config.maskPlacement());
  }

  Optional<FeatureConfig> featureConfig(SideConfig side) {
    if (config.features() != Direction.BACKBONE_TO_SIDE) {
      return Optional.empty();
    }
    int blocks = side.blocks();
    int third = Math.max(1, blocks / 3);
    List<Integer> shallow = config.shallow().map(this::tapPositions).orElse(range(1, third));
    List<Integer> deep =
        config.deep().map(this::tapPositions).orElse(range(blocks - third + 1, blocks));
    return Optional.of(
        new FeatureConfig(
            shallow,
            deep.stream().filter(l -> !shallow.contains(l) || config.deep().isPresent()).toList(),
            config.alignmentRank(),
            (float) config.imitationWeight(),
            (float) config.generationWeight(),
            (float) config.generationRatio(),
            sideLayout.gridHeight() > 0,
            false));
  }

  private static List<Integer> range(int from, int to) {
    return IntStream.rangeClosed(from, to).boxed().toList();
  }

  /** From the backbone's tap numbers to places among the selected taps. */
  private List<Integer> tapPositions(List<Integer> numbers) {
    return numbers.stream()
        .map(tap -> {
          int at = taps.indexOf(tap);
          if (at < 0) {
            throw new BadInputException(
                "tap " + tap + " is not among the taps of the side network, " + taps);
          }
          return at;
        })
        .toList();
  }

  BackboneTail.Config tailConfig(Pooling tailPooling, boolean tuneNorm) {
    // where the backbone pooled already, the one row left is taken as it is
    Pooling used = tailLayout.tokens() == 1 && sideLayout.tokens() != 1 ? Pooling.CLS : tailPooling;
    return new BackboneTail.Config(
        backbone.finalNormScale().length,
        used,
        tailLayout,
        classes,
        backbone.finalNormEpsilon(),
        tuneNorm,
        backbone.finalNormScale(),
        backbone.finalNormBias());
  }

  /** What is kept for gradients inside the backbone. */
  GradientMemory gradientMemory() {
    if (config.microBatch() > 0) {
      return GradientMemory.microBatch(config.microBatch());
    }
    return switch (config.gradientMode()) {
      case STORED -> GradientMemory.STORED;
      case TAPS -> GradientMemory.TAPS;
      case AUTO -> storedEstimate() <= LARGEST_STORED ? GradientMemory.STORED : GradientMemory.TAPS;
    };
  }

  /**
   * Bytes that a gradient of all blocks keeps, about: {@link #VALUES_PER_TOKEN} widths of floats
   * for each token and block, and two matrices of attention for each head of 64.
   */
  private double storedEstimate() {
    double rows = sideLayout.rows();
    double width = backbone.structure().lastTap().width();
    double heads = Math.max(1, width / 64);
    double block = rows * width * VALUES_PER_TOKEN + 2 * rows * sideLayout.tokens() * heads;
    return 4 * block * backbone.structure().blocks();
  }

  /** What the logits stand for. */
  Answers answers(AdaptationData data) {
    return new Answers(task, classes, data.classNames());
  }

  /** The same with labelled rows alone, over as many steps. */
  AdaptationPlan withoutUnlabelled() {
    return new AdaptationPlan(
        config,
        backbone,
        taps,
        pooling,
        ownPooling,
        sideLayout,
        tailLayout,
        task,
        epochs,
        classes,
        order.withoutUnlabelled());
  }

  /** Whether a running mean of the backbone teaches it. */
  boolean selfTeaches() {
    return selfTeaches(config);
  }

  private static boolean selfTeaches(AdaptConfig config) {
    return config.teacher() == TeacherKind.SELF && config.logits() == Direction.SIDE_TO_BACKBONE;
  }

  /** Number of the first batch on which it does: before, it has little to say. */
  long selfTeachesFrom() {
    return (long) epochs * order.steps() / 3;
  }

  PathSettings pathSettings() {
    long total = (long) epochs * order.steps();
    return new PathSettings(
        task,
        config.logits(),
        (float) config.temperature(),
        new KlWeight((float) config.klWeight(), klRule()),
        config.klRows(),
        selfTeaches(),
        (float) config.teacherAverage(),
        (long) config.sideAhead() * order.steps(),
        (float) config.labelSmoothing(),
        config.features(),
        (float) config.maskRatio(),
        config.maskSchedule(),
        (float) config.learningRateSide(),
        (float) config.learningRateHead(),
        config.tune().lastNorm() ? (float) config.learningRateNorm() : 0,
        (float) config.learningRateLowRank(),
        (float) config.weightDecay(),
        (float) config.clipNorm(),
        config.backboneEvery(),
        new LearningRate(config.warmupSteps(), total),
        config.seed());
  }

  /**
   * With low-rank changes the backbone is mostly the better student of the two, and gains only from
   * a teacher that leads; with less to learn it gains from one of its own level
   * (docs/benchmarks.md).
   */
  KlWeight.Rule klRule() {
    // the backbone's own mean is level with it: there is nothing to compare
    if (!config.klAuto() || selfTeaches()) {
      return KlWeight.Rule.FIXED;
    }
    return config.tune().kind() == Tune.Kind.LOW_RANK
        ? KlWeight.Rule.WHILE_AHEAD
        : KlWeight.Rule.UNLESS_BEHIND;
  }

  /** The head alone on labels alone: the baseline. */
  PathSettings probeSettings() {
    PathSettings s = pathSettings();
    return new PathSettings(
        s.task(),
        Direction.OFF,
        s.temperature(),
        KlWeight.fixed(0),
        KlRows.ALL,
        false,
        0,
        0,
        0,
        Direction.OFF,
        0,
        s.maskSchedule(),
        s.rateSide(),
        s.rateHead(),
        0,
        0,
        s.weightDecay(),
        s.clipNorm(),
        1,
        s.schedule(),
        s.seed());
  }
}
