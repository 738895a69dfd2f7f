package dev.sidefade.train;

import dev.sidefade.distill.Direction;
import dev.sidefade.distill.FeatureConfig;
import dev.sidefade.distill.MaskSchedule;
import dev.sidefade.kernels.MaskPlacement;
import dev.sidefade.kernels.Pooling;
import dev.sidefade.kernels.TokenLayout;
import dev.sidefade.side.BlockKind;
import dev.sidefade.side.SideConfig;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;

/** A small training; a test changes what it is about. */
final class Setup {
  int threads = 1;
  Task task = Task.CLASSES;
  Pooling pooling = Pooling.CLS_MEAN;
  boolean withTail = true;
  boolean withSide = true;
  Direction logits = Direction.SIDE_TO_BACKBONE;
  Direction features = Direction.OFF;
  BlockKind kind = BlockKind.TRANSFORMER;
  TokenLayout layout = new TokenLayout(8, 5, 1, 2, 2);
  List<Integer> widths = List.of(12, 9, 14);
  int sideWidth = 8;
  int heads = 2;
  int classes = 3;
  List<String> classNames = List.of();
  int labelled = 27;
  int unlabelled = 0;
  int validation = 20;
  boolean guessableValidation = true;
  KlWeight klWeight = KlWeight.fixed(1);
  KlRows klRows = KlRows.ALL;
  float teacherAverage = 0;
  long sideAhead = 0;
  float maskRatio = 0;
  MaskSchedule maskSchedule = MaskSchedule.CONSTANT;
  float rateSide = 3e-3f;
  float rateHead = 3e-3f;
  float rateNorm = 1e-3f;
  float clipNorm = 1;
  int backboneEvery = 1;
  int epochs = 4;
  int patience = 0;
  long seed = 7;

  /** Whether features are on the device already when they are delivered. */
  boolean featuresOnDevice = false;

  Optional<LearningRate> schedule = Optional.empty();

  static Setup with(Consumer<Setup> change) {
    Setup setup = new Setup();
    change.accept(setup);
    return setup;
  }

  EpochOrder order() {
    return new EpochOrder(labelled, unlabelled, layout.batch(), seed, new int[0]);
  }

  Answers answers() {
    return new Answers(task, classes, classNames);
  }

  PathSettings settings() {
    return new PathSettings(
        task,
        logits,
        2,
        klWeight,
        klRows,
        false,
        teacherAverage,
        sideAhead,
        0.05f,
        features,
        maskRatio,
        maskSchedule,
        rateSide,
        rateHead,
        rateNorm,
        rateNorm,
        0.01f,
        clipNorm,
        backboneEvery,
        schedule.orElse(new LearningRate(3, (long) epochs * order().steps())),
        seed);
  }

  SideConfig side() {
    return new SideConfig(
        kind,
        widths,
        sideWidth,
        heads,
        2 * sideWidth,
        pooling,
        classes,
        1e-6f,
        0.1f,
        MaskPlacement.STATE);
  }

  Optional<FeatureConfig> featureConfig() {
    return features == Direction.BACKBONE_TO_SIDE
        ? Optional.of(
            new FeatureConfig(
                List.of(1), List.of(widths.size() - 1), 4, 0.5f, 0.5f, 0.5f, true, false))
        : Optional.empty();
  }

  BackboneTail.Config tail() {
    int width = widths.getLast();
    float[] scale = new float[width];
    float[] shift = new float[width];
    for (int i = 0; i < width; i++) {
      scale[i] = 1 + 0.01f * i;
      shift[i] = 0.02f * i;
    }
    return new BackboneTail.Config(width, pooling, layout, classes, 1e-6f, true, scale, shift);
  }
}
