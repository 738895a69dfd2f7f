/**
 * Texts from TSV, CSV and CoNLL files, tokenised for a model: tables, a tokenizer, examples in
 * compact arrays, batches of similar length, padded tensors. Knows tensors and the order of
 * examples and nothing of training.
 */
@NullMarked
package dev.sidefade.text;

import org.jspecify.annotations.NullMarked;
