/**
 * What training leaves behind: the faded model (the backbone's graph with other constants), the
 * model that keeps its side network, the delta that turns a backbone into the faded model, and the
 * checks and timings of what was written.
 */
@NullMarked
package dev.sidefade.export;

import org.jspecify.annotations.NullMarked;
