package dev.sidefade.train;

import dev.sidefade.tensor.Tensor;
import java.util.Map;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/** Examples as inputs of a backbone: images or texts. */
public interface ExampleSet {
  /** {@return number of examples} */
  int size();

  /**
   * {@return whether the example has a label or value}
   *
   * @param example number of the example, from 0
   */
  boolean labelled(int example);

  /**
   * {@return number of tokens of an example without padding; 0 where the backbone fixes it}
   *
   * @param example number of the example, from 0
   */
  int tokens(int example);

  /**
   * {@return number of tokens of a batch whose longest example has {@code longest}; 0 where the
   * backbone fixes it}
   *
   * @param longest number of tokens
   */
  int paddedTokens(int longest);

  /**
   * {@return what examples {@code examples} are compared with, when padded to {@code tokens}}
   *
   * @param examples the examples
   * @param tokens number of tokens that every example is padded to
   */
  Targets targets(int[] examples, int tokens);

  /**
   * Starts to load these examples in this order, {@code rows} at a time, the last perhaps fewer.
   *
   * @param epoch number of the epoch, from 0
   * @param order numbers of the examples, in the order of the epoch
   * @param rows number of examples in a batch
   * @return the loader, to be closed
   */
  Loader load(long epoch, int[] order, int rows);

  /**
   * {@return order in which all examples are best walked through: texts of similar length together}
   */
  default int[] walk() {
    return IntStream.range(0, size()).toArray();
  }

  /** {@return largest {@link #tokens} of all; 0 where the backbone fixes it} */
  default int longest() {
    return IntStream.range(0, size()).map(this::tokens).max().orElse(0);
  }

  /**
   * {@return the first {@code count} examples alone}
   *
   * @param count at most all
   */
  default ExampleSet first(int count) {
    return count == size() ? this : new FirstExamples(this, count);
  }

  /** Batches in their order. */
  interface Loader extends AutoCloseable {
    /** {@return the next batch, valid until the next call} */
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
  record Loaded(Map<String, Tensor> inputs, int[] examples, int tokens, @Nullable Tensor valid) {}
}
