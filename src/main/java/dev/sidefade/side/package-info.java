/**
 * The side network: a light network beside the frozen backbone that reads its block outputs through
 * a gated, masked ladder. Built on {@link dev.sidefade.kernels.Kernels} alone; knows neither
 * backbones nor files.
 */
@NullMarked
package dev.sidefade.side;

import org.jspecify.annotations.NullMarked;
