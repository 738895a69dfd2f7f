/**
 * The two paths between backbone and side network: feature imitation and masked generation, logit
 * distillation, masks and their schedules. Works on {@link dev.sidefade.kernels.Kernels}; knows no
 * files.
 */
@NullMarked
package dev.sidefade.distill;

import org.jspecify.annotations.NullMarked;
