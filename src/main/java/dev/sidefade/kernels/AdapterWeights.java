package dev.sidefade.kernels;

import dev.sidefade.tensor.Tensor;

/**
 * Parameters, or their gradients, of an adapter block z = x + gelu(layerNorm(x) w1 + b1) w2 + b2.
 *
 * @param gamma [D] scale of the layer norm
 * @param beta [D] shift of the layer norm
 * @param w1 [D, M]
 * @param b1 [M]
 * @param w2 [M, D]
 * @param b2 [D]
 */
public record AdapterWeights(
    Tensor gamma, Tensor beta, Tensor w1, Tensor b1, Tensor w2, Tensor b2) {}
