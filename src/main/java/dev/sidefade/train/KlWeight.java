package dev.sidefade.train;

import java.util.List;

/**
 * Factor of the logit path.
 *
 * @param value factor while it is on
 * @param auto whether it follows who is ahead on validation: on while the teacher leads, off
 *     otherwise, so that a weak teacher does no harm
 */
public record KlWeight(float value, boolean auto) {
  /** Epochs over whose mean the two networks are compared: one score alone is noise. */
  private static final int WINDOW = 3;

  /** Always on. */
  public static KlWeight fixed(float value) {
    return new KlWeight(value, false);
  }

  /**
   * Factor of the next epoch.
   *
   * @param history of all epochs so far
   * @param sideTeaches whether the side network is the teacher
   */
  float next(List<EpochRecord> history, boolean sideTeaches) {
    if (!auto) {
      return value;
    }
    List<EpochRecord> last = history.subList(Math.max(0, history.size() - WINDOW), history.size());
    double side = last.stream().mapToDouble(EpochRecord::validationSide).average().orElse(0);
    double faded = last.stream().mapToDouble(EpochRecord::validationFaded).average().orElse(0);
    boolean leads = sideTeaches ? side > faded : faded > side;
    return leads ? value : 0;
  }
}
