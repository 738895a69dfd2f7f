package dev.sidefade.cli;

import dev.sidefade.AdaptConfig;
import dev.sidefade.TeacherKind;
import dev.sidefade.distill.Direction;
import dev.sidefade.distill.MaskSchedule;
import dev.sidefade.kernels.MaskPlacement;
import dev.sidefade.tensor.BadInputException;
import dev.sidefade.train.KlRows;
import java.util.List;
import picocli.CommandLine.Option;

/** The feature path, the logit path and the mask. */
final class PathOptions {
  private static final String DIRECTIONS = "backbone-to-side|side-to-backbone|off";

  @Option(
      names = "--features",
      paramLabel = DIRECTIONS,
      description = "Who teaches features to whom (default: ${DEFAULT-VALUE}).")
  private Direction features;

  @Option(
      names = "--shallow",
      paramLabel = "LIST",
      description =
          "Taps whose features are imitated, such as 1-2, or none (default: the first third).")
  private LayerList shallow;

  @Option(
      names = "--deep",
      paramLabel = "LIST",
      description =
          "Taps whose features are generated from masked tokens, or none (default: the last"
              + " third).")
  private LayerList deep;

  @Option(
      names = "--generation-ratio",
      paramLabel = "R",
      description = "Share of tokens removed for that (default: ${DEFAULT-VALUE}).")
  private double generationRatio;

  @Option(
      names = "--imitation-weight",
      paramLabel = "W",
      description = "Factor of the imitation loss (default: ${DEFAULT-VALUE}).")
  private double imitationWeight;

  @Option(
      names = "--generation-weight",
      paramLabel = "W",
      description = "Factor of the generation loss (default: ${DEFAULT-VALUE}).")
  private double generationWeight;

  @Option(
      names = "--rank",
      paramLabel = "N",
      description = "Rank of the map between the two widths (default: ${DEFAULT-VALUE}).")
  private int rank;

  @Option(
      names = "--logits",
      paramLabel = DIRECTIONS,
      description = "Who teaches predictions to whom (default: ${DEFAULT-VALUE}).")
  private Direction logits;

  @Option(
      names = "--temperature",
      paramLabel = "T",
      description = "Of that distillation (default: ${DEFAULT-VALUE}).")
  private double temperature;

  @Option(
      names = "--kl-weight",
      paramLabel = "auto|W",
      description =
          "Factor of that distillation. With auto it goes from 0 to 1, or to W with auto:W, the"
              + " more the teacher leads on the validation examples"
              + " (default: ${DEFAULT-VALUE}).")
  private KlChoice klWeight;

  @Option(
      names = "--kl-rows",
      paramLabel = "all|unlabelled|sure",
      description =
          "Examples on which the teacher speaks: all, those without a label, or those on which it"
              + " is sure (default: ${DEFAULT-VALUE}).")
  private KlRows klRows;

  @Option(
      names = "--teacher",
      paramLabel = "side|self",
      description =
          "Who teaches predictions to the backbone: the side network, or a running mean of the"
              + " backbone itself, from a third of the training on (default: ${DEFAULT-VALUE}).")
  private TeacherKind teacher;

  @Option(
      names = "--teacher-average",
      paramLabel = "D",
      description =
          "Let a running mean of the side network teach, of decay D, such as 0.99; 0 = the side"
              + " network as it is. Where the backbone teaches itself, of its own mean; 0 = 0.99"
              + " (default: ${DEFAULT-VALUE}).")
  private double teacherAverage;

  @Option(
      names = "--side-ahead",
      paramLabel = "EPOCHS",
      description =
          "Epochs that the side network learns before the backbone begins"
              + " (default: ${DEFAULT-VALUE}).")
  private int sideAhead;

  @Option(
      names = "--mask-ratio",
      paramLabel = "R",
      description = "Share of tokens masked in the ladder, 0 to 1 (default: ${DEFAULT-VALUE}).")
  private double maskRatio;

  @Option(
      names = "--mask-on",
      paramLabel = "state|input",
      description =
          "Masked tokens lose the side state, or the backbone's features"
              + " (default: ${DEFAULT-VALUE}).")
  private MaskPlacement maskPlacement;

  @Option(
      names = "--mask-schedule",
      paramLabel = "constant|linear|cosine",
      description = "How the masked share grows over training (default: ${DEFAULT-VALUE}).")
  private MaskSchedule maskSchedule;

  void applyTo(AdaptConfig.Builder builder) {
    builder
        .features(features)
        .generationRatio(generationRatio)
        .imitationWeight(imitationWeight)
        .generationWeight(generationWeight)
        .alignmentRank(rank)
        .logits(logits)
        .temperature(temperature)
        .klWeight(klWeight.weight())
        .klAuto(klWeight.auto())
        .klRows(klRows)
        .teacher(teacher)
        .teacherAverage(teacherAverage)
        .sideAhead(sideAhead)
        .maskRatio(maskRatio)
        .maskPlacement(maskPlacement)
        .maskSchedule(maskSchedule);
    if (shallow != null) {
      builder.shallow(numbers("--shallow", shallow));
    }
    if (deep != null) {
      builder.deep(numbers("--deep", deep));
    }
  }

  private static List<Integer> numbers(String option, LayerList list) {
    if (list.all()) {
      throw new BadInputException(
          option + " takes numbers of taps such as 1,2 or 4-6, or none, not all");
    }
    return list.numbers();
  }
}
