/**
 * Every operation of the training step as one documented method ({@link
 * dev.sidefade.kernels.Kernels}), the memory they work on ({@link dev.sidefade.kernels.Device}),
 * and the choice of a backend with its reasons. Knows no backend.
 *
 * <p>One operation, without anything else of the library:
 *
 * {@snippet file="distillation/LogitDistillation.java" region="kernel"}
 *
 * <p>Parameters that may be null are marked; all others must be there.
 */
@NullMarked
package dev.sidefade.kernels;

import org.jspecify.annotations.NullMarked;
