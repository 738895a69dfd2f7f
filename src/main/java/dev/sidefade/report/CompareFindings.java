package dev.sidefade.report;

import dev.sidefade.report.CompareReport.Variant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/** Plain sentences that a comparison allows, also where they speak against fading. */
final class CompareFindings {
  private final CompareReport report;
  private final Score score;
  private final String split;
  private final String rows;

  private CompareFindings(CompareReport report) {
    this.report = report;
    score = new Score(report.scoreName());
    split = report.split();
    rows = split.equals(RunReport.TEST) ? "test" : "validation";
  }

  /** One network with its mean score. */
  private record Candidate(String name, Statistic score) {}

  /** The sentences; empty without finished runs. */
  static List<String> of(CompareReport report) {
    CompareFindings findings = new CompareFindings(report);
    List<String> all = new ArrayList<>();
    if (!report.isWhole()) {
      all.add(
          report.finished()
              + " of "
              + report.wanted()
              + " runs are finished; what follows holds so far.");
    }
    findings.best().ifPresent(all::add);
    findings.kept().ifPresent(all::add);
    findings.taught().forEach(all::add);
    return all;
  }

  private Optional<String> best() {
    return highest(report.variants().stream().map(v -> new Candidate(v.name(), v.score(split))))
        .map(best ->
            "Best on the %s rows is %s with %s over %s."
                .formatted(rows, best.name, shown(best.score), seeds(best.score.count())));
  }

  private static String seeds(int count) {
    return count == 1 ? "1 seed" : count + " seeds";
  }

  private String shown(Statistic statistic) {
    return CompareTable.scoreText(score, statistic);
  }

  private static Optional<Candidate> highest(Stream<Candidate> candidates) {
    return candidates
        .filter(c -> c.score.isKnown())
        .max(Comparator.comparingDouble(c -> c.score.mean()));
  }

  /** The best kept side network against the best model whose side network faded. */
  private Optional<String> kept() {
    Optional<Candidate> faded = highest(faded().map(v -> new Candidate(v.name(), v.score(split))));
    Stream<Candidate> alone =
        report.variants().stream()
            .filter(v -> v.network().equals(RunReport.SIDE))
            .map(v -> new Candidate(v.name(), v.score(split)));
    Stream<Candidate> beside =
        faded().map(v -> new Candidate("the one beside " + v.name(), v.sideScore(split)));
    Optional<Candidate> kept = highest(Stream.concat(alone, beside));
    if (faded.isEmpty() || kept.isEmpty()) {
      return Optional.empty();
    }
    double lead = kept.get().score.mean() - faded.get().score.mean();
    String verdict =
        lead > Score.NOTICEABLE
            ? "A kept side network would have been " + score.difference(lead) + " better"
            : "No kept side network would have been better: " + score.signed(lead) + " at best";
    return Optional.of(
        "%s (%s %s against %s %s)."
            .formatted(
                verdict,
                kept.get().name,
                shown(kept.get().score),
                faded.get().name,
                shown(faded.get().score)));
  }

  /** Variants that ship without the side network that they were trained with. */
  private Stream<Variant> faded() {
    return report.variants().stream()
        .filter(v -> v.network().equals(RunReport.FADED) && v.sideScore(split).isKnown());
  }

  /** What the side network's teaching changed, where the same tuning was run without. */
  private List<String> taught() {
    List<String> sentences = new ArrayList<>();
    faded()
        .forEach(with ->
            withoutTeacher(with)
                .ifPresent(without -> {
                  double gain = with.score(split).mean() - without.score(split).mean();
                  sentences.add(
                      "Against %s, the same tuning on labels alone, %s is %s."
                          .formatted(
                              without.name(),
                              with.name(),
                              Math.abs(gain) < Score.NOTICEABLE
                                  ? "level"
                                  : score.difference(gain) + (gain > 0 ? " better" : " worse")));
                }));
    return sentences;
  }

  /** {@code faded-norms} belongs to {@code norms-ce}. */
  private Optional<Variant> withoutTeacher(Variant faded) {
    String name = faded.name().replaceFirst("^faded-", "") + "-ce";
    return report.variants().stream()
        .filter(v -> v.name().equals(name) && v.score(split).isKnown())
        .findFirst();
  }
}
