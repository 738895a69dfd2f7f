/** Tensors: shape, element type, memory and its owner. Knows nothing else of the project. */
package dev.sidefade.tensor;
