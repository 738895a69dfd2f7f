/**
 * Trainable layers on {@link dev.sidefade.kernels.Kernels} alone: parameters with their gradients
 * and optimiser state, transformer and adapter blocks, the read-out. The side network, the
 * generators of the feature path and the backbone's tuned tail are made of them.
 */
@NullMarked
package dev.sidefade.layers;

import org.jspecify.annotations.NullMarked;
