/**
 * Images from folders, list files and IDX files, made ready for a model: decoding, resizing,
 * augmentation, shuffling, batches decoded ahead of their use. Knows tensors and nothing of
 * training.
 */
@NullMarked
package dev.sidefade.data;

import org.jspecify.annotations.NullMarked;
