package dev.sidefade.train;

import dev.sidefade.tensor.Tensor;
import java.util.Map;
import java.util.stream.IntStream;

/** Examples as inputs of a backbone: images or texts. */
public interface ExampleSet {
  /** Number of examples. */
  int size();

  /** Whether the example has a label or value. */
  boolean labelled(int example);

  /** Number of tokens of an example without padding; 0 where the backbone fixes it. */
  int tokens(int example);

  /**
   * Number of tokens of a batch whose longest example has {@code longest}; 0 where the backbone
   * fixes it.
   */
  int paddedTokens(int longest);

  /** What examples {@code examples} are compared with, when padded to {@code tokens}. */
  Targets targets(int[] examples, int tokens);

  /**
   * Starts to load these examples in this order, {@code rows} at a time, the last perhaps fewer.
   */
  Loader load(long epoch, int[] order, int rows);

  /** Order in which all examples are best walked through: texts of similar length together. */
  default int[] walk() {
    return IntStream.range(0, size()).toArray();
  }

  /** Largest {@link #tokens} of all; 0 where the backbone fixes it. */
  default int longest() {
    return IntStream.range(0, size()).map(this::tokens).max().orElse(0);
  }

  /** The first {@code count} examples alone. */
  default ExampleSet first(int count) {
    return count == size() ? this : new FirstExamples(this, count);
  }

  /** Batches in their order. */
  interface Loader extends AutoCloseable {
    /** The next batch, valid until the next call. */
    Loaded next();

    @Override
    void close();
  }

  /**
   * One batch.
   *
   * @param inputs of the backbone by name, [examples, ...]
   * @param examples numbers of the examples
   * @param tokens number of tokens of each, padding included; 0 where the backbone fixes it
   * @param valid [examples * tokens] 1 = token, 0 = padding; null when all are tokens
   */
  record Loaded(Map<String, Tensor> inputs, int[] examples, int tokens, Tensor valid) {}
}
