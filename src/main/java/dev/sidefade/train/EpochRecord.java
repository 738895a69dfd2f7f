package dev.sidefade.train;

import java.util.List;
import java.util.Map;

/**
 * What is known after an epoch.
 *
 * @param epoch from 1
 * @param losses mean of every term
 * @param validationFaded score of the backbone's path, NaN where there is none
 * @param validationSide score of the side network, NaN where there is none
 * @param learningRate factor of the learning rates at the last step
 * @param gates sigmoid(a_l / tau) of every tap but the first: how much the side state is kept
 * @param maskKeepRatio share of tokens not masked in the ladder
 * @param seconds of wall-clock time
 */
public record EpochRecord(
    int epoch,
    Map<String, Double> losses,
    double validationFaded,
    double validationSide,
    double learningRate,
    List<Double> gates,
    double maskKeepRatio,
    double seconds) {}
