package dev.sidefade.train;

import dev.sidefade.tensor.BadInputException;
import java.util.Arrays;

/**
 * The first examples of a set.
 *
 * @param size number of them, at most as many as there are
 */
record FirstExamples(ExampleSet all, int size) implements ExampleSet {
  FirstExamples {
    if (size < 0 || size > all.size()) {
      throw new BadInputException(
          "the first " + size + " examples of a set of " + all.size() + " were asked for");
    }
  }

  @Override
  public boolean labelled(int example) {
    return all.labelled(example);
  }

  @Override
  public int tokens(int example) {
    return all.tokens(example);
  }

  @Override
  public int paddedTokens(int longest) {
    return all.paddedTokens(longest);
  }

  @Override
  public Targets targets(int[] examples, int tokens) {
    return all.targets(examples, tokens);
  }

  @Override
  public Loader load(long epoch, int[] order, int rows) {
    return all.load(epoch, order, rows);
  }

  @Override
  public int[] walk() {
    return Arrays.stream(all.walk()).filter(example -> example < size).toArray();
  }
}
