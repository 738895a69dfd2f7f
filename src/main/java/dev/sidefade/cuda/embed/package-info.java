/**
 * Sidefade's operations for programs that have a CUDA stream and device memory already: {@link
 * dev.sidefade.cuda.embed.CudaBackend}.
 */
@NullMarked
package dev.sidefade.cuda.embed;

import org.jspecify.annotations.NullMarked;
