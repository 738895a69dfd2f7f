package dev.sidefade;

import dev.sidefade.backbone.Backbone;
import dev.sidefade.backbone.BackboneStructure;
import dev.sidefade.backbone.ReadOut;
import dev.sidefade.backbone.TokenGrid;
import dev.sidefade.backbone.Trunk;
import dev.sidefade.distill.Direction;
import dev.sidefade.distill.FeatureConfig;
import dev.sidefade.kernels.Pooling;
import dev.sidefade.kernels.TokenLayout;
import dev.sidefade.side.BlockKind;
import dev.sidefade.side.SideConfig;
import dev.sidefade.tensor.BadInputException;
import dev.sidefade.tensor.Tensor;
import dev.sidefade.train.BackboneTail;
import dev.sidefade.train.EpochOrder;
import dev.sidefade.train.LearningRate;
import dev.sidefade.train.PathSettings;
import dev.sidefade.train.TrunkFeatures;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;

/**
 * What follows from a configuration once the backbone is known.
 *
 * @param taps that the side network reads
 * @param pooling of the adapted model
 * @param ownPooling of the pretrained model, of the linear probe
 * @param sideLayout tokens at the taps, for the largest batch
 * @param tailLayout tokens that enter the last norm; one when the backbone pools before it
 * @param classes number of classes
 */
record AdaptationPlan(
    AdaptConfig config,
    Backbone backbone,
    List<Integer> taps,
    Pooling pooling,
    Pooling ownPooling,
    TokenLayout sideLayout,
    TokenLayout tailLayout,
    int classes,
    EpochOrder order) {
  /** Smallest width of a side network that is chosen for the user. */
  private static final int LEAST_WIDTH = 16;

  private static final int HEAD_WIDTH = 16;
  private static final float SIDE_EPSILON = 1e-6f;
  private static final float GATE_TEMPERATURE = 0.1f;

  static AdaptationPlan of(AdaptConfig config, Backbone backbone, AdaptationData data) {
    BackboneStructure structure = backbone.structure();
    TokenLayout layout = layout(structure, config.batch());
    boolean pooledFirst = structure.readOut().beforeNorm();
    Pooling own = ownPooling(structure, layout);
    Pooling pooling = config.readout().orElse(own);
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
    if (pooling != Pooling.MEAN && layout.prefix() == 0 && !pooledFirst) {
      throw new BadInputException(
          "the backbone has no class token: choose --readout mean instead of cls or cls+mean");
    }
    int unlabelled = data.train().size() - data.labelled();
    return new AdaptationPlan(
        config,
        backbone,
        config.side() == SideKind.NONE ? List.of() : taps(config, structure),
        pooling,
        own,
        layout,
        pooledFirst ? new TokenLayout(config.batch(), 1, 0, 0, 0) : layout,
        data.classNames().size(),
        new EpochOrder(data.labelled(), unlabelled, config.batch(), config.seed()));
  }

  /** Refuses what cannot be built, before anything is computed. */
  void check() {
    if (config.side() != SideKind.NONE) {
      featureConfig(sideConfig());
    }
    tailConfig(pooling, false);
  }

  private static TokenLayout layout(BackboneStructure structure, int batch) {
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

  private static Pooling ownPooling(BackboneStructure structure, TokenLayout layout) {
    ReadOut readOut = structure.readOut();
    return switch (readOut.kind()) {
      case CLS, POOLER -> Pooling.CLS;
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

  TrunkFeatures features(Trunk trunk, List<Tensor> outputs) {
    return TrunkFeatures.of(trunk, taps.size(), outputs);
  }

  PathSettings pathSettings() {
    long total = (long) config.epochs() * order.steps();
    return new PathSettings(
        config.logits(),
        (float) config.temperature(),
        (float) config.klWeight(),
        (float) config.labelSmoothing(),
        config.features(),
        (float) config.maskRatio(),
        config.maskSchedule(),
        (float) config.learningRateSide(),
        (float) config.learningRateHead(),
        config.tune() == Tune.FINAL_NORM ? (float) config.learningRateNorm() : 0,
        (float) config.weightDecay(),
        (float) config.clipNorm(),
        config.backboneEvery(),
        new LearningRate(config.warmupSteps(), total),
        config.seed());
  }

  /** The head alone on labels alone: the baseline. */
  PathSettings probeSettings() {
    PathSettings s = pathSettings();
    return new PathSettings(
        Direction.OFF,
        s.temperature(),
        0,
        0,
        Direction.OFF,
        0,
        s.maskSchedule(),
        s.rateSide(),
        s.rateHead(),
        0,
        s.weightDecay(),
        s.clipNorm(),
        1,
        s.schedule(),
        s.seed());
  }
}
