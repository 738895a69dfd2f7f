package dev.sidefade.train;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.sidefade.kernels.Kernels;
import dev.sidefade.tensor.Shape;
import dev.sidefade.tensor.Tensor;
import dev.sidefade.text.TextExamples;
import java.io.IOException;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** Texts as inputs and targets of a backbone. */
class TextSetTest {
  private static final List<String> INPUTS = List.of("attention_mask", "input_ids");

  private static TextSet set(Task task) throws IOException {
    return new TextSet(MadeTexts.examples(task, 30, 1), task, MadeTexts.longs(INPUTS));
  }

  @Test
  void classesAndNumbersBelongToExamples() throws IOException {
    TextSet classes = set(Task.CLASSES);
    Targets targets = classes.targets(new int[] {3, 0, 29}, 16);
    assertEquals(0, targets.values().length);
    assertArrayEquals(
        new int[] {-1, classes.examples().label(0), classes.examples().label(29)},
        targets.labels());
    TextSet numbers = set(Task.REGRESSION);
    targets = numbers.targets(new int[] {3, 0, 29}, 16);
    assertEquals(0, targets.labels().length);
    assertTrue(Float.isNaN(targets.values()[0]));
    assertEquals(numbers.examples().target(0), targets.values()[1]);
    assertFalse(targets.known(0));
    assertTrue(targets.known(1));
    for (TextSet set : List.of(classes, numbers, set(Task.TOKENS))) {
      for (int i = 0; i < set.size(); i++) {
        assertEquals(i % 4 != 3, set.labelled(i));
      }
    }
  }

  /** First pieces have a class, other tokens none, and padding takes part in nothing. */
  @Test
  void classesOfWordsBelongToTokens() throws IOException {
    TextSet set = set(Task.TOKENS);
    TextExamples examples = set.examples();
    int[] batch = {7, 1, 0, 12, 5, 16};
    int tokens = 24;
    int[] labels = set.targets(batch, tokens).labels();
    assertEquals(batch.length * tokens, labels.length);
    int counted = 0;
    for (int i = 0; i < batch.length; i++) {
      int[] first = examples.firstPieces(batch[i]);
      for (int t = 0; t < tokens; t++) {
        int expected = Kernels.PADDING;
        if (t < first.length) {
          String word = first[t] < 0 ? "" : examples.words(batch[i]).get(first[t]);
          boolean tagged = first[t] >= 0 && batch[i] % 4 != 3;
          String tag = word.equals("unlikely") ? "B-ADV" : word.equals("playing") ? "B-VERB" : "O";
          expected = tagged ? examples.classNames().indexOf(tag) : -1;
          counted += tagged ? 1 : 0;
        }
        assertEquals(expected, labels[i * tokens + t], i + ", " + t);
      }
    }
    assertTrue(counted > 8, "words with a tag: " + counted);
  }

  @Test
  void theWalkGoesFromShortToLong() throws IOException {
    TextSet set = set(Task.CLASSES);
    int[] walk = set.walk();
    assertArrayEquals(
        IntStream.range(0, 30).toArray(), Arrays.stream(walk).sorted().toArray(), "each once");
    for (int i = 1; i < walk.length; i++) {
      int before = set.tokens(walk[i - 1]);
      int here = set.tokens(walk[i]);
      assertTrue(before < here || before == here && walk[i - 1] < walk[i]);
    }
    assertEquals(set.tokens(walk[29]), set.longest());
    assertEquals(20, set.longest(), "some are cut");
    assertEquals(8, set.paddedTokens(3));
    assertEquals(16, set.paddedTokens(9));
    assertEquals(20, set.paddedTokens(17), "no more than fit");
  }

  @Test
  void batchesArePaddedToTheirLongest() throws IOException {
    TextSet set = set(Task.CLASSES);
    int[] order = {4, 9, 4, 20, 11, 2, 2};
    try (ExampleSet.Loader loader = set.load(0, order, 3)) {
      for (int done = 0; done < order.length; done += 3) {
        int[] batch = Arrays.copyOfRange(order, done, Math.min(done + 3, order.length));
        assertBatch(set, batch, loader.next());
      }
      assertThrows(IllegalStateException.class, loader::next);
    }
  }

  private static void assertBatch(TextSet set, int[] batch, ExampleSet.Loaded loaded) {
    assertArrayEquals(batch, loaded.examples());
    int longest = Arrays.stream(batch).map(set::tokens).max().orElseThrow();
    int tokens = set.paddedTokens(longest);
    assertEquals(tokens, loaded.tokens());
    assertEquals(INPUTS, List.copyOf(loaded.inputs().keySet()));
    for (Tensor input : loaded.inputs().values()) {
      assertEquals(Shape.of(batch.length, tokens), input.shape());
    }
    long[] ids = loaded.inputs().get("input_ids").segment().toArray(ValueLayout.JAVA_LONG);
    long[] mask = loaded.inputs().get("attention_mask").segment().toArray(ValueLayout.JAVA_LONG);
    for (int i = 0; i < batch.length; i++) {
      int[] own = set.examples().ids(batch[i]);
      for (int t = 0; t < tokens; t++) {
        boolean token = t < own.length;
        assertEquals(token ? own[t] : set.examples().padId(), ids[i * tokens + t]);
        assertEquals(token ? 1 : 0, mask[i * tokens + t]);
        assertEquals(token ? 1f : 0f, loaded.valid().get((long) i * tokens + t));
      }
    }
  }
}
