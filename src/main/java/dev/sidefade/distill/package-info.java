/**
 * The two paths between backbone and side network: feature imitation and masked generation, logit
 * distillation, masks and their schedules. Works on {@link dev.sidefade.kernels.Kernels}; knows no
 * files.
 */
package dev.sidefade.distill;
