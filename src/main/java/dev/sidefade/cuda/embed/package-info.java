/**
 * Sidefade's operations for programs that have a CUDA stream and device memory already: {@link
 * dev.sidefade.cuda.embed.CudaBackend}.
 */
package dev.sidefade.cuda.embed;
