/**
 * Training: what goes into a step and in which order, learning rates, feature cache, checkpoints,
 * evaluation. Knows no command line and no report.
 */
package dev.sidefade.train;
