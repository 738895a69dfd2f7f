/**
 * Training: what goes into a step and in which order, learning rates, feature cache, checkpoints,
 * evaluation. Knows no command line and no report.
 */
@NullMarked
package dev.sidefade.train;

import org.jspecify.annotations.NullMarked;
