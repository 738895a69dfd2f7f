package dev.sidefade.kernels;

/**
 * A run of parameters that {@link Kernels#adamw} treats alike.
 *
 * @param from first element
 * @param count number of elements
 * @param learningRate step size of this update, schedules applied
 * @param weightDecay decoupled decay (Loshchilov and Hutter, 2019), multiplied by the learning rate
 */
public record OptimizerGroup(long from, long count, float learningRate, float weightDecay) {}
