package dev.sidefade.train;

import java.util.List;
import java.util.function.ToDoubleFunction;

/**
 * Factor of the logit path.
 *
 * @param value factor while it is wholly on
 * @param rule when that is
 */
public record KlWeight(float value, Rule rule) {
  /** Epochs over whose mean the two networks are compared: one score alone is noise. */
  private static final int WINDOW = 5;

  /**
   * What the two networks' validation scores say about the factor. Between nothing and all of it
   * lies a lead of one standard error of a score, in which the factor is proportional.
   */
  public enum Rule {
    /** Nothing: the whole factor always. */
    FIXED,
    /**
     * All while the teacher leads or is level, nothing where the student is a standard error ahead:
     * for a student that gains from a teacher of its own level.
     */
    UNLESS_BEHIND,
    /**
     * Nothing while the student leads or is level, all where the teacher is a standard error ahead,
     * and nothing in the first five epochs, of a short training in its first third: for a student
     * that is likely to be the better one. At the start a lead says who learns faster, and to
     * listen then slows the student, so that it stays behind and goes on listening.
     */
    WHILE_AHEAD
  }

  /**
   * {@return always on}
   *
   * @param value the factor
   */
  public static KlWeight fixed(float value) {
    return new KlWeight(value, Rule.FIXED);
  }

  /**
   * Factor of the next epoch; unless it is fixed, 0 while there are too few scores, and where one
   * is no number, as nothing is known then.
   *
   * @param history of all epochs so far
   * @param epochs of the whole training
   * @param sideTeaches whether the side network is the teacher
   * @param validationRows number of rows that the scores are of
   */
  float next(List<EpochRecord> history, int epochs, boolean sideTeaches, long validationRows) {
    if (rule == Rule.FIXED) {
      return value;
    }
    int unheard = rule == Rule.WHILE_AHEAD ? Math.clamp(epochs / 3, 1, WINDOW) : 1;
    if (history.size() < unheard) {
      return 0;
    }
    double side = recent(history, EpochRecord::validationSide);
    double faded = recent(history, EpochRecord::validationFaded);
    double teacher = sideTeaches ? side : faded;
    double student = sideTeaches ? faded : side;
    if (Double.isNaN(teacher) || Double.isNaN(student)) {
      return 0;
    }
    // of a share p of n rows; of a correlation it is an estimate. A perfect score is not certain.
    double share = Math.clamp(student, 0.05, 0.95);
    double lead = (teacher - student) / Math.sqrt(share * (1 - share) / validationRows);
    return value * (float) Math.clamp(rule == Rule.UNLESS_BEHIND ? 1 + lead : lead, 0, 1);
  }

  private static double recent(List<EpochRecord> history, ToDoubleFunction<EpochRecord> score) {
    return history.subList(Math.max(0, history.size() - WINDOW), history.size()).stream()
        .mapToDouble(score)
        .filter(value -> !Double.isNaN(value))
        .average()
        .orElse(Double.NaN);
  }
}
