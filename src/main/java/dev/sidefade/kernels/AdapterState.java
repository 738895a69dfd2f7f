package dev.sidefade.kernels;

import dev.sidefade.tensor.Tensor;

/**
 * What the forward pass of an adapter block keeps for its backward pass.
 *
 * @param mean [rows] of the layer norm
 * @param rstd [rows] of the layer norm
 * @param normalized [rows, D] output of the layer norm
 * @param hidden [rows, M] before the GELU
 * @param activated [rows, M] after the GELU
 */
public record AdapterState(
    Tensor mean, Tensor rstd, Tensor normalized, Tensor hidden, Tensor activated) {}
