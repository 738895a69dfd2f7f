package dev.sidefade.text;

import dev.sidefade.data.Split;
import dev.sidefade.tensor.BadInputException;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.stream.IntStream;

/**
 * Two disjoint sets of examples.
 *
 * @param train examples to train on, all that have no label among them
 * @param heldOut examples to measure on, all with a label
 */
public record TextSplit(TextExamples train, TextExamples heldOut) {
  private static final int BINS = 5;

  /**
   * Holds out about {@code fraction} of the labelled examples: of every class its share, of numbers
   * the same share of low and high ones, of tagged sentences any.
   *
   * @param examples the examples
   * @param fraction share to hold out, in (0, 1)
   * @param seed what the random numbers follow from
   * @return both halves
   * @throws BadInputException if the fraction is out of range or too few examples are labelled
   */
  public static TextSplit holdOut(TextExamples examples, double fraction, long seed) {
    Split split = Split.holdOut(strata(examples), fraction, seed);
    return new TextSplit(examples.select(split.train()), examples.select(split.heldOut()));
  }

  /** For every example the group that gives its share; -1 for one without a label. */
  static int[] strata(TextExamples examples) {
    int[] strata = examples.labels();
    List<Integer> numbers =
        IntStream.range(0, strata.length)
            .filter(i -> !Float.isNaN(examples.target(i)))
            .boxed()
            .sorted(Comparator.comparingDouble(examples::target))
            .toList();
    // four of each at least, so that every bin has some to give
    int bins = Math.clamp(numbers.size() / 4, 1, BINS);
    for (int rank = 0; rank < numbers.size(); rank++) {
      strata[numbers.get(rank)] = (int) ((long) rank * bins / numbers.size());
    }
    if (Arrays.stream(strata).allMatch(s -> s < 0)) {
      Arrays.setAll(strata, i -> examples.isLabelled(i) ? 0 : -1);
    }
    return strata;
  }
}
