package dev.sidefade.train;

import dev.sidefade.distill.Direction;
import dev.sidefade.distill.MaskSchedule;

/**
 * How the two networks learn from labels and from each other.
 *
 * @param task what is learned
 * @param logits direction of the logit path
 * @param temperature of the distillation
 * @param klWeight its factor
 * @param klRows which rows the teacher speaks to
 * @param selfTeaches whether a running mean of the backbone itself teaches the backbone, and not
 *     the side network
 * @param teacherAverage decay of the running mean of the teacher's parameters that teaches instead
 *     of the present ones; 0 = the present ones teach
 * @param sideAhead steps that the side network learns before the backbone begins
 * @param labelSmoothing of the cross-entropy
 * @param features direction of the feature path
 * @param maskRatio share of tokens masked in the ladder
 * @param maskSchedule how that share changes
 * @param rateSide learning rate of the side network
 * @param rateHead learning rate of the backbone's output layer
 * @param rateNorm learning rate of the backbone's norms and biases; 0 = they stay as they are
 * @param rateLowRank learning rate of the low-rank deltas of the backbone's weights
 * @param weightDecay decoupled
 * @param clipNorm largest gradient norm of each network; 0 = not clipped
 * @param backboneEvery steps between updates of the backbone's constants
 * @param schedule of the learning rates
 * @param seed of the masks
 */
public record PathSettings(
    Task task,
    Direction logits,
    float temperature,
    KlWeight klWeight,
    KlRows klRows,
    boolean selfTeaches,
    float teacherAverage,
    long sideAhead,
    float labelSmoothing,
    Direction features,
    float maskRatio,
    MaskSchedule maskSchedule,
    float rateSide,
    float rateHead,
    float rateNorm,
    float rateLowRank,
    float weightDecay,
    float clipNorm,
    int backboneEvery,
    LearningRate schedule,
    long seed) {

  /**
   * {@return number of the first step at which the backbone learns}
   *
   * @param besideSide whether there is a side network, which may learn ahead
   */
  public long firstTurn(boolean besideSide) {
    return besideSide ? Math.ceilDiv(sideAhead, backboneEvery) * backboneEvery : 0;
  }

  /**
   * {@return decay of the running mean of the side network's parameters that teaches the backbone;
   * 0 = none does}
   */
  public float sideAverage() {
    return selfTeaches || logits != Direction.SIDE_TO_BACKBONE ? 0 : teacherAverage;
  }
}
