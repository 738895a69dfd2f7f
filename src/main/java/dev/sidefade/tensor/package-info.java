/** Tensors: shape, element type, memory and its owner. Knows nothing else of the project. */
@NullMarked
package dev.sidefade.tensor;

import org.jspecify.annotations.NullMarked;
