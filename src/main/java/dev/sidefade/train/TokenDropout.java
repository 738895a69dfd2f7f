package dev.sidefade.train;

import dev.sidefade.tensor.CounterRandom;
import dev.sidefade.tensor.DType;
import dev.sidefade.tensor.Tensor;
import dev.sidefade.text.TextInput;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Map;
import java.util.Objects;

/**
 * Hides tokens of texts at random from the backbone while it learns, through its attention mask: no
 * other token sees them, and the mean over tokens leaves them out. The first token, which many
 * backbones read out, stays.
 *
 * @param ratio share of tokens, in [0, 1)
 * @param seed of the run
 * @param pooled whether hidden tokens are left out of the read-out; false where every token has a
 *     class of its own, hidden or not
 */
public record TokenDropout(float ratio, long seed, boolean pooled) {
  /** Keeps these random numbers apart from others of the same seed. */
  private static final long STREAM = 0x746F6B656EL << 24;

  private static final long MOST_TOKENS = 1L << 32;

  /**
   * Hides tokens of a batch, in its inputs and, where pooled, its flags.
   *
   * @param batch tokens of texts; changed
   * @param number of the batch in the training, from 0
   */
  void hide(ExampleSet.Loaded batch, long number) {
    MemorySegment flags = Objects.requireNonNull(batch.valid(), "texts have flags").segment();
    Tensor mask = mask(batch.inputs());
    for (int row = 0; row < batch.examples().length; row++) {
      for (int token = 1; token < batch.tokens(); token++) {
        long at = (long) row * batch.tokens() + token;
        long index = row * MOST_TOKENS + token;
        if (flags.getAtIndex(ValueLayout.JAVA_FLOAT, at) != 0
            && CounterRandom.uniform(seed, STREAM + number, index) < ratio) {
          clear(mask, at);
          if (pooled) {
            flags.setAtIndex(ValueLayout.JAVA_FLOAT, at, 0);
          }
        }
      }
    }
  }

  private static Tensor mask(Map<String, Tensor> inputs) {
    return inputs.entrySet().stream()
        .filter(input -> TextInput.MASK.names().contains(input.getKey()))
        .map(Map.Entry::getValue)
        .findFirst()
        .orElseThrow(() -> new IllegalArgumentException("no attention mask in " + inputs.keySet()));
  }

  private static void clear(Tensor mask, long at) {
    if (mask.dtype() == DType.I32) {
      mask.segment().setAtIndex(ValueLayout.JAVA_INT, at, 0);
    } else {
      mask.segment().setAtIndex(ValueLayout.JAVA_LONG, at, 0);
    }
  }
}
