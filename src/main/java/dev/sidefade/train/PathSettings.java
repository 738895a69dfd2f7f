package dev.sidefade.train;

import dev.sidefade.distill.Direction;
import dev.sidefade.distill.MaskSchedule;

/**
 * How the two networks learn from labels and from each other.
 *
 * @param logits direction of the logit path
 * @param temperature of the distillation
 * @param klWeight its factor
 * @param labelSmoothing of the cross-entropy
 * @param features direction of the feature path
 * @param maskRatio share of tokens masked in the ladder
 * @param maskSchedule how that share changes
 * @param rateSide learning rate of the side network
 * @param rateHead learning rate of the backbone's output layer
 * @param rateNorm learning rate of the backbone's last norm; 0 = it stays as it is
 * @param weightDecay decoupled
 * @param clipNorm largest gradient norm of each network; 0 = not clipped
 * @param backboneEvery steps between updates of the backbone's constants
 * @param schedule of the learning rates
 * @param seed of the masks
 */
public record PathSettings(
    Direction logits,
    float temperature,
    float klWeight,
    float labelSmoothing,
    Direction features,
    float maskRatio,
    MaskSchedule maskSchedule,
    float rateSide,
    float rateHead,
    float rateNorm,
    float weightDecay,
    float clipNorm,
    int backboneEvery,
    LearningRate schedule,
    long seed) {}
