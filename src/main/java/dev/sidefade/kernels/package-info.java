/**
 * Every operation of the training step as one documented method ({@link
 * dev.sidefade.kernels.Kernels}), the memory they work on ({@link dev.sidefade.kernels.Device}),
 * and the choice of a backend with its reasons. Knows no backend.
 */
@NullMarked
package dev.sidefade.kernels;

import org.jspecify.annotations.NullMarked;
