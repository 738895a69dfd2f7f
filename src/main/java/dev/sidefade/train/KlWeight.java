package dev.sidefade.train;

import java.util.List;

/**
 * Factor of the logit path.
 *
 * @param value factor while it is on
 * @param auto whether it follows who is ahead on validation, so that a weak teacher does no harm:
 *     the whole factor while the teacher leads or is level, less the further the student is ahead,
 *     nothing where it is ahead by the standard error of a score
 */
public record KlWeight(float value, boolean auto) {
  /** Epochs over whose mean the two networks are compared: one score alone is noise. */
  private static final int WINDOW = 5;

  /** Always on. */
  public static KlWeight fixed(float value) {
    return new KlWeight(value, false);
  }

  /**
   * Factor of the next epoch.
   *
   * @param history of all epochs so far
   * @param sideTeaches whether the side network is the teacher
   * @param validationRows number of rows that the scores are of
   */
  float next(List<EpochRecord> history, boolean sideTeaches, long validationRows) {
    if (!auto) {
      return value;
    }
    List<EpochRecord> last = history.subList(Math.max(0, history.size() - WINDOW), history.size());
    double side = last.stream().mapToDouble(EpochRecord::validationSide).average().orElse(0);
    double faded = last.stream().mapToDouble(EpochRecord::validationFaded).average().orElse(1);
    double lead = sideTeaches ? side - faded : faded - side;
    // of a share p of n rows; a correlation is treated as one
    double share = Math.clamp(sideTeaches ? faded : side, 0.05, 0.95);
    double error = Math.sqrt(share * (1 - share) / validationRows);
    return value * (float) Math.clamp(1 + lead / error, 0, 1);
  }
}
