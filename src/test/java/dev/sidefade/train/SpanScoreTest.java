package dev.sidefade.train;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** Spans counted against counts by hand, and against a definition without a loop's memory. */
class SpanScoreTest {
  private static final List<String> NAMES =
      List.of("B-LOC", "B-PER", "I-LOC", "I-PER", "O", "B-LOC-X", "I-");

  /** Sentences of tags, words with blanks between; "-" is a token that does not count. */
  private static Evaluation evaluation(List<String> truth, List<String> said) {
    List<Integer> labels = new ArrayList<>();
    List<Integer> predicted = new ArrayList<>();
    List<Integer> examples = new ArrayList<>();
    for (int e = 0; e < truth.size(); e++) {
      String[] there = truth.get(e).split(" ");
      String[] found = said.get(e).split(" ");
      assertEquals(there.length, found.length);
      for (int i = 0; i < there.length; i++) {
        labels.add(there[i].equals("-") ? -1 : NAMES.indexOf(there[i]));
        predicted.add(NAMES.indexOf(found[i]));
        examples.add(e);
      }
    }
    return new Evaluation(
        ints(predicted), new float[labels.size()], ints(labels), ints(examples), NAMES.size());
  }

  private static SpanScore score(List<String> truth, List<String> said) {
    return SpanScore.of(evaluation(truth, said), NAMES);
  }

  @Test
  void networksAreComparedByTheirSpans() {
    List<String> truth = List.of("O O O O O O O B-PER", "O O O O O B-LOC I-LOC O");
    Evaluation nothing = evaluation(truth, List.of("O O O O O O O O", "O O O O O O O O"));
    Evaluation one = evaluation(truth, List.of("B-PER O O O O O O B-PER", "B-PER O O O O O O O"));
    assertTrue(nothing.accuracy() >= one.accuracy());
    assertEquals(0, new SpanOutcome(nothing, NAMES).score());
    assertEquals(2.0 * 1 / (3 + 2), new SpanOutcome(one, NAMES).score());
    assertEquals(
        Map.of("accuracy", one.accuracy(), "f1", 0.4), new SpanOutcome(one, NAMES).measures());
    Evaluation empty = evaluation(List.of("O O"), List.of("O O"));
    assertTrue(Double.isNaN(new SpanOutcome(empty, NAMES).score()));
    assertEquals(Map.of("accuracy", 1.0), new SpanOutcome(empty, NAMES).measures());
  }

  @Test
  void onlyTagsOfWordsNameSpans() {
    assertTrue(new Answers(Task.TOKENS, 5, NAMES).nameSpans());
    assertFalse(new Answers(Task.CLASSES, 5, NAMES).nameSpans());
    assertFalse(new Answers(Task.TOKENS, 2, List.of("noun", "verb")).nameSpans());
    assertFalse(new Answers(Task.REGRESSION, 1, List.of()).nameSpans());
  }

  private static int[] ints(List<Integer> values) {
    return values.stream().mapToInt(v -> v).toArray();
  }

  private static void assertCounts(long found, long there, long right, String truth, String said) {
    SpanScore score = score(List.of(truth.split(" \\| ")), List.of(said.split(" \\| ")));
    assertEquals(new SpanScore(found, there, right), score, truth + " / " + said);
  }

  @Test
  void byHand() {
    assertCounts(1, 1, 1, "B-PER I-PER O", "B-PER I-PER O");
    // a span that is too short or too long is wrong
    assertCounts(1, 1, 0, "B-PER I-PER O", "B-PER O O");
    assertCounts(1, 1, 0, "B-PER I-PER O", "B-PER I-PER I-PER");
    assertCounts(1, 1, 0, "B-PER I-PER O", "B-LOC I-LOC O");
    assertCounts(2, 1, 0, "B-PER I-PER O", "B-PER B-PER O");
    // an I- of nothing begins a span, as conlleval has it
    assertCounts(1, 1, 1, "B-PER I-PER O", "I-PER I-PER O");
    assertCounts(2, 1, 0, "B-PER I-PER O", "B-LOC I-PER O");
    assertCounts(2, 2, 2, "B-PER B-PER", "B-PER B-PER");
    // spans end with their sentence
    assertCounts(2, 2, 2, "O B-PER | I-PER O", "O B-PER | B-PER O");
    assertCounts(0, 0, 0, "O O | O", "O O | O");
    assertCounts(0, 2, 0, "B-LOC O B-LOC", "O O O");
    assertCounts(1, 0, 0, "O O", "O I-LOC");
    // further pieces of a word neither end a span nor begin one
    assertCounts(1, 1, 1, "B-PER - I-PER -", "B-PER O I-PER B-LOC");
    assertCounts(1, 1, 1, "- B-PER -", "B-LOC B-PER O");
    // a type is what stands behind the first hyphen; nothing there is no type
    assertCounts(2, 2, 1, "B-LOC-X I-LOC", "B-LOC-X B-LOC-X");
    assertCounts(0, 0, 0, "I- O", "O I-");
  }

  @Test
  void theHarmonicMean() {
    SpanScore score = new SpanScore(4, 6, 3);
    double precision = 3.0 / 4;
    double recall = 3.0 / 6;
    assertEquals(2 * precision * recall / (precision + recall), score.f1(), 1e-12);
    assertTrue(Double.isNaN(new SpanScore(0, 0, 0).f1()));
    assertEquals(0, new SpanScore(0, 3, 0).f1());
  }

  @Test
  void appliesToSpansOnly() {
    assertTrue(SpanScore.applies(List.of("O", "I-PER")));
    assertFalse(SpanScore.applies(List.of("NOUN", "VERB", "B", "I")));
  }

  @Test
  void agreesWithADefinitionThatLooksAtEveryRange() {
    Random random = new Random(5);
    for (int round = 0; round < 500; round++) {
      List<String> truth = new ArrayList<>();
      List<String> said = new ArrayList<>();
      for (int e = 0; e < 1 + random.nextInt(4); e++) {
        int length = 1 + random.nextInt(8);
        truth.add(tags(length, random));
        said.add(random.nextInt(3) == 0 ? truth.getLast() : tags(length, random));
      }
      Set<String> there = ranges(truth);
      Set<String> found = ranges(said);
      Set<String> both = new HashSet<>(there);
      both.retainAll(found);
      assertEquals(
          new SpanScore(found.size(), there.size(), both.size()),
          score(truth, said),
          truth + " / " + said);
    }
  }

  private static String tags(int length, Random random) {
    String[] tags = new String[length];
    Arrays.setAll(tags, i -> NAMES.get(random.nextInt(5)));
    return String.join(" ", tags);
  }

  private static Set<String> ranges(List<String> sentences) {
    Set<String> ranges = new HashSet<>();
    for (int e = 0; e < sentences.size(); e++) {
      String[] tags = sentences.get(e).split(" ");
      for (int from = 0; from < tags.length; from++) {
        for (int to = from; to < tags.length; to++) {
          if (isSpan(tags, from, to)) {
            ranges.add(e + ":" + from + "-" + to + tags[from].substring(1));
          }
        }
      }
    }
    return ranges;
  }

  private static boolean isSpan(String[] tags, int from, int to) {
    boolean whole = begins(tags, from);
    for (int i = from + 1; i <= to; i++) {
      whole &= continues(tags, i);
    }
    return whole && (to + 1 == tags.length || !continues(tags, to + 1));
  }

  private static boolean begins(String[] tags, int i) {
    return !tags[i].equals("O") && !continues(tags, i);
  }

  private static boolean continues(String[] tags, int i) {
    return tags[i].startsWith("I-")
        && i > 0
        && !tags[i - 1].equals("O")
        && tags[i - 1].substring(2).equals(tags[i].substring(2));
  }
}
