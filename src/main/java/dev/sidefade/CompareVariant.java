package dev.sidefade;

import dev.sidefade.distill.Direction;
import dev.sidefade.report.RunReport;
import dev.sidefade.tensor.BadInputException;
import dev.sidefade.train.KlRows;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;

/** One way to adapt, among those that {@link Comparison} compares. */
public enum CompareVariant {
  /** A new output layer on a frozen backbone. */
  LINEAR_PROBE("a new output layer on the frozen backbone"),
  /** All layer norms on labels alone. */
  NORMS_CE("all layer norms tuned, on labels alone"),
  /** The same with smoothed labels. */
  NORMS_SMOOTHING("all layer norms tuned, on labels smoothed by 0.1"),
  /** What ships keeps its side network. */
  SIDE_KEPT("the frozen backbone with a side network that is kept at inference"),
  /** All layer norms, taught by a side network that is dropped. */
  FADED_NORMS("all layer norms tuned, taught by a side network that fades"),
  /** Layer norms and low-rank changes of the weights on labels alone. */
  LOW_RANK_CE("all layer norms and low-rank changes of the weights tuned, on labels alone"),
  /** The same, taught by a side network that is dropped. */
  FADED_LOW_RANK(
      "all layer norms and low-rank changes of the weights tuned, taught by a side network that"
          + " fades"),
  /** The same, taught by a running mean of the backbone itself. */
  SELF_TAUGHT(
      "all layer norms and low-rank changes of the weights tuned, taught by a running mean of the"
          + " backbone itself");

  private static final double SMOOTHING = 0.1;
  private static final int RANK = 4;

  /** Where unlabelled rows fill half of a batch (docs/benchmarks.md). */
  private static final double SELF_WEIGHT = 4;

  private static final double HIDDEN = 0.15;

  private final String description;

  CompareVariant(String description) {
    this.description = description;
  }

  /**
   * As on the command line and as the name of a folder: {@code faded-low-rank}.
   *
   * @return the name
   */
  public String text() {
    return name().toLowerCase(Locale.ROOT).replace('_', '-');
  }

  /** {@return in words} */
  public String description() {
    return description;
  }

  /** {@return which network ships: {@link RunReport#FADED} or {@link RunReport#SIDE}} */
  public String network() {
    return this == SIDE_KEPT ? RunReport.SIDE : RunReport.FADED;
  }

  /**
   * {@return whether it makes sense for a task: numbers have no labels to smooth}
   *
   * @param task what is learned
   */
  public boolean suits(TaskKind task) {
    return this != NORMS_SMOOTHING || task != TaskKind.REGRESSION;
  }

  /**
   * {@return all that make sense for a task}
   *
   * @param task what is learned
   */
  public static List<CompareVariant> all(TaskKind task) {
    return Arrays.stream(values()).filter(variant -> variant.suits(task)).toList();
  }

  /**
   * Reads what {@link #text} writes.
   *
   * @param text as it is spelled
   * @return the variant
   * @throws BadInputException if there is no such variant, naming all
   */
  public static CompareVariant parse(String text) {
    return Arrays.stream(values())
        .filter(variant -> variant.text().equals(text.strip()))
        .findFirst()
        .orElseThrow(() ->
            new BadInputException(
                "there is no variant '"
                    + text
                    + "', but one of these was expected: "
                    + String.join(
                        ", ", Arrays.stream(values()).map(CompareVariant::text).toList())));
  }

  /**
   * What the variant makes of settings that all share. Blocks and rank of {@link AdaptConfig#tune}
   * hold for the norms and the low-rank changes; a kind of side network and the directions of the
   * two paths hold where there is one.
   *
   * @param seed of the run
   * @param out folder of the run
   */
  AdaptConfig of(AdaptConfig shared, long seed, Path out) {
    AdaptConfig.Builder builder =
        CompareSettings.copyOf(shared).seed(seed).out(out).tune(tune(shared.tune()));
    // what unlabelled rows are worth is another question, and would take as long again
    builder.measureUnlabelled(false).withoutExports();
    boolean taught = this == FADED_NORMS || this == FADED_LOW_RANK;
    if (!taught) {
      builder.features(Direction.OFF).logits(Direction.OFF);
    }
    builder.teacher(TeacherKind.SIDE);
    if (!taught && this != SIDE_KEPT) {
      builder.side(SideKind.NONE);
    } else if (shared.side() == SideKind.NONE) {
      builder.side(SideKind.TRANSFORMER);
    }
    if (this == NORMS_SMOOTHING) {
      builder.labelSmoothing(SMOOTHING);
    }
    if (this == SELF_TAUGHT) {
      teachItself(shared, builder);
    }
    return builder.build();
  }

  /** With the weight and the rows that were measured, unless a weight was asked for. */
  private static void teachItself(AdaptConfig shared, AdaptConfig.Builder builder) {
    builder.teacher(TeacherKind.SELF).logits(Direction.SIDE_TO_BACKBONE);
    if (shared.task().isText() && shared.tokenDropout() == 0) {
      builder.tokenDropout(HIDDEN);
    }
    if (shared.klAuto() && shared.unlabelled().isPresent()) {
      builder.klAuto(false).klWeight(SELF_WEIGHT).klRows(KlRows.UNLABELLED);
    }
  }

  private Tune tune(Tune shared) {
    return switch (this) {
      case LINEAR_PROBE -> Tune.HEAD;
      case SIDE_KEPT -> Tune.NONE;
      case NORMS_CE, NORMS_SMOOTHING, FADED_NORMS -> Tune.NORMS.inLastBlocks(shared.lastBlocks());
      case LOW_RANK_CE, FADED_LOW_RANK, SELF_TAUGHT ->
          Tune.lowRank(shared.kind() == Tune.Kind.LOW_RANK ? shared.rank() : RANK)
              .inLastBlocks(shared.lastBlocks());
    };
  }
}
