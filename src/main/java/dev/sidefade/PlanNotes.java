package dev.sidefade;

import dev.sidefade.distill.Direction;
import dev.sidefade.train.KlRows;
import dev.sidefade.train.KlWeight;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.stream.Stream;

/** What a plan does not do that its user may expect of it. */
final class PlanNotes {
  private final AdaptationPlan plan;
  private final AdaptConfig config;

  private PlanNotes(AdaptationPlan plan) {
    this.plan = plan;
    this.config = plan.config();
  }

  /** What the user should hear before anything is computed. */
  static List<String> of(AdaptationPlan plan, AdaptationData data) {
    PlanNotes notes = new PlanNotes(plan);
    return Stream.of(
            notes.unusedRows(data),
            notes.tokenDropout(),
            notes.gradientMemory(),
            notes.sideAhead(),
            notes.teacherAverage(),
            notes.idleSide(),
            notes.noRowsToTeach(),
            notes.singleEpoch())
        .flatMap(Optional::stream)
        .toList();
  }

  private Optional<String> unusedRows(AdaptationData data) {
    int unused = data.train().size() - data.labelled() - plan.order().unlabelled();
    return noteIf(
        unused > 0,
        "Nothing teaches on the "
            + unused
            + " rows without a label, so they are not used; an epoch still has the "
            + plan.order().steps()
            + " steps that all rows fill.");
  }

  private Optional<String> tokenDropout() {
    return noteIf(
        config.tokenDropout() > 0 && config.tune().inside().isEmpty(),
        "--token-dropout changes nothing: with --tune "
            + config.tune()
            + " the backbone runs once, before the training.");
  }

  private Optional<String> gradientMemory() {
    boolean chosen = config.microBatch() > 0 || config.gradientMode() != GradientMode.AUTO;
    return noteIf(
        chosen && config.tune().inside().isEmpty(),
        (config.microBatch() > 0 ? "--micro-batch" : "--gradient-memory")
            + " changes nothing: with --tune "
            + config.tune()
            + " no gradient passes through the backbone.");
  }

  private Optional<String> sideAhead() {
    return noteIf(
        config.sideAhead() > 0 && !plan.bothLearn(),
        "--side-ahead changes nothing: with --side "
            + config.side().name().toLowerCase(Locale.ROOT)
            + " and --tune "
            + config.tune()
            + " one network alone learns.");
  }

  private Optional<String> teacherAverage() {
    boolean teaches = plan.bothLearn() && config.logits() == Direction.SIDE_TO_BACKBONE;
    return noteIf(
        config.teacherAverage() > 0 && !teaches && !plan.selfTeaches(),
        "--teacher-average changes nothing: nothing teaches the backbone.");
  }

  private Optional<String> noRowsToTeach() {
    boolean teaches = plan.selfTeaches() || plan.bothLearn() && config.logits() != Direction.OFF;
    return noteIf(
        teaches && config.klRows() == KlRows.UNLABELLED && plan.order().unlabelled() == 0,
        "With --kl-rows unlabelled only rows without a label are taught on, and there are none.");
  }

  private Optional<String> idleSide() {
    boolean taught = plan.selfTeaches() && config.features() != Direction.SIDE_TO_BACKBONE;
    return noteIf(
        taught && config.side() != SideKind.NONE,
        "With --teacher self the side network teaches nothing and makes the training slower:"
            + " --side none leaves it out.");
  }

  private Optional<String> singleEpoch() {
    boolean teaches = plan.bothLearn() && config.logits() != Direction.OFF;
    return noteIf(
        teaches && plan.klRule() != KlWeight.Rule.FIXED && plan.epochs() == 1,
        "With --kl-weight auto no network listens to the other in the first epoch, and there is"
            + " one: neither teaches. --epochs or a number as --kl-weight changes that.");
  }

  private static Optional<String> noteIf(boolean holds, String note) {
    return holds ? Optional.of(note) : Optional.empty();
  }
}
