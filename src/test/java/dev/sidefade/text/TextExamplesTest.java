package dev.sidefade.text;

import static dev.sidefade.text.TestTexts.refused;
import static dev.sidefade.text.TestTexts.tokenizer;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.sidefade.tensor.BadInputException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TextExamplesTest {
  private static final TextLimits LIMITS = TextLimits.ofLength(8);

  @TempDir Path dir;

  private TextTokenizer tokenizer;

  @BeforeEach
  void open() throws IOException {
    tokenizer = tokenizer(dir);
  }

  @AfterEach
  void close() {
    tokenizer.close();
  }

  private static TextTable table(String... rows) {
    return TextTable.parse("file x", String.join("\n", rows), false, false);
  }

  private TextExamples classes(String... rows) {
    return TextExamples.classification(table(rows), tokenizer, LIMITS, Optional.empty());
  }

  @Test
  void aTextOfNoTokensIsRefused() throws IOException {
    String json =
        """
        {"version":"1.0","truncation":null,"padding":null,"added_tokens":[],"normalizer":null,
        "pre_tokenizer":null,"post_processor":null,"decoder":null,
        "model":{"type":"BPE","dropout":null,"unk_token":null,"continuing_subword_prefix":null,
        "end_of_word_suffix":null,"fuse_unk":false,"byte_fallback":false,
        "vocab":{"a":0,"b":1},"merges":[]}}
        """;
    try (TextTokenizer bare =
        TextTokenizer.open(Files.writeString(dir.resolve("bare.json"), json))) {
      TextTable good = table("text\tlabel", "a\tx", "ab\ty");
      assertArrayEquals(
          new int[] {1, 2},
          TextExamples.classification(good, bare, LIMITS, Optional.empty()).lengths());
      TextTable bad = table("text\tlabel", "a\tx", "c\ty", "ab\ty");
      BadInputException e =
          assertThrows(
              BadInputException.class,
              () -> TextExamples.classification(bad, bare, LIMITS, Optional.empty()));
      assertTrue(e.getMessage().startsWith("line 3 of file x"), e.getMessage());
    }
  }

  @Test
  void classifies() {
    TextExamples e =
        classes(
            "label\ttext",
            "pos\ta good film",
            "neg\tthe movie is bad , bad , bad",
            "\tplay",
            "neg\t",
            "pos\tunlikely");
    assertEquals(4, e.size());
    assertEquals(List.of("neg", "pos"), e.classNames());
    assertArrayEquals(new int[] {1, 0, -1, 1}, e.labels());
    assertArrayEquals(new int[] {5, 8, 3, 5}, e.lengths());
    assertArrayEquals(new int[] {2, 19, 20, 21, 3}, e.ids(3));
    assertArrayEquals(new int[5], e.typeIds(3));
    assertArrayEquals(new int[] {-1, -1, -1, -1, -1}, e.tokenLabels(3));
    assertTrue(Float.isNaN(e.target(0)));
    assertEquals(1, e.truncated());
    assertEquals(1, e.skipped());
    assertEquals(8, e.maxLength());
    assertEquals("the movie is bad , bad , bad", e.text(1));
    assertTrue(e.isLabelled(0));
    assertFalse(e.isLabelled(2));
    assertEquals(List.of(), e.words(0));
  }

  @Test
  void encodesPairs() {
    TextExamples e = classes("text\ttext_b\tlabel", "a film\tthe movie is bad\t1");
    assertArrayEquals(new int[] {0, 0, 0, 0, 1, 1, 1, 1}, e.typeIds(0));
    assertEquals("a film | the movie is bad", e.text(0));
    assertEquals(1, e.truncated());
  }

  @Test
  void ordersNumbersByValueAndNamesByName() {
    TextExamples e = classes("text\tlabel", "a\t10", "a\t-1", "a\t2", "a\t2.5");
    assertEquals(List.of("-1", "2", "2.5", "10"), e.classNames());
    assertArrayEquals(new int[] {3, 0, 1, 2}, e.labels());
    TextExamples names = classes("text\tlabel", "a\t10", "a\t2", "a\tx");
    assertEquals(List.of("10", "2", "x"), names.classNames());
  }

  @Test
  void refusesUnknownLabels() {
    TextTable test = table("text\tlabel", "a\tpos", "a\tneutral");
    refused(
        () ->
            TextExamples.classification(
                test, tokenizer, LIMITS, Optional.of(List.of("neg", "pos"))),
        "line 3 of file x",
        "label 'neutral' is unknown",
        "neg, pos");
    refused(() -> classes("text", "a"), "file x has no column label");
    refused(() -> classes("text\tlabel", "a\t", "a\t "), "no label in any row");
    String[] many =
        IntStream.range(0, 10_002)
            .mapToObj(i -> i == 0 ? "text\tlabel" : "a\t" + i)
            .toArray(String[]::new);
    refused(() -> classes(many), "10001 different labels", "regression");
  }

  @Test
  void regresses() {
    TextTable table = table("text\tscore", "a\t-2.5e0", "good\t", "bad\t3");
    TextExamples e = TextExamples.regression(table, tokenizer, LIMITS);
    assertArrayEquals(new float[] {-2.5f, Float.NaN, 3f}, e.targets());
    assertEquals(List.of(), e.classNames());
    assertArrayEquals(new int[] {-1, -1, -1}, e.labels());
    assertFalse(e.isLabelled(1));
    for (String bad : List.of("high", "NaN", "Infinity", "1e99", "0x1p3", "2,5", "1f")) {
      refused(
          () -> TextExamples.regression(table("text\tscore", "a\t" + bad), tokenizer, LIMITS),
          "line 2",
          "'" + bad + "' is not a number");
    }
  }

  @Test
  void classifiesTokens() {
    ConllFile file =
        ConllFile.parse("file x", "john B-PER\nunlikely O\n\nberlin B-LOC\n\n" + "a O\n".repeat(9));
    TextExamples e = TextExamples.tokens(file, tokenizer, LIMITS, Optional.empty());
    assertEquals(List.of("B-LOC", "B-PER", "O"), e.classNames());
    assertArrayEquals(new int[] {-1, 1, 2, -1, -1, -1}, e.tokenLabels(0));
    assertArrayEquals(new int[] {-1, 0, 1, -1, -1, -1}, e.firstPieces(0));
    assertArrayEquals(new int[] {-1, 0, -1}, e.tokenLabels(1));
    assertEquals(8, e.length(2));
    assertEquals(1, e.truncated());
    assertEquals("john unlikely", e.text(0));
    assertEquals(List.of("john", "unlikely"), e.words(0));
    assertEquals(-1, e.label(0));
    assertTrue(e.isLabelled(0));
    refused(
        () -> TextExamples.tokens(file, tokenizer, LIMITS, Optional.of(List.of("O", "B-PER"))),
        "line 4 of file x",
        "'B-LOC' is unknown");
    TextExamples bare =
        TextExamples.tokens(
            ConllFile.parse("y", "john\nsmith"), tokenizer, LIMITS, Optional.of(e.classNames()));
    assertArrayEquals(new int[] {-1, -1, -1, -1}, bare.tokenLabels(0));
    assertArrayEquals(new int[] {-1, 0, 1, -1}, bare.firstPieces(0));
    assertFalse(bare.isLabelled(0));
  }

  @Test
  void refusesATokenizerOfAnotherModel() {
    TextTable table = table("text\tlabel", "a\t1");
    refused(
        () -> TextExamples.unlabelled(table, tokenizer, new TextLimits(8, 40)),
        "does not fit the model",
        "ids up to 40",
        "40 rows");
    assertEquals(1, TextExamples.unlabelled(table, tokenizer, new TextLimits(8, 41)).size());
    ConllFile file = ConllFile.parse("file x", "a O\n");
    refused(
        () -> TextExamples.tokens(file, tokenizer, new TextLimits(8, 3), Optional.empty()),
        "3 rows");
    refused(() -> TextExamples.unlabelled(table, tokenizer, TextLimits.ofLength(2)), "no room");
  }

  /** Added tokens beyond the embedding do no harm until a text holds one. */
  @Test
  void refusesAddedTokensThatOccur() throws IOException {
    String added = "\"added_tokens\": [";
    String extra =
        "{\"id\": 41, \"content\": \"<new>\", \"single_word\": false, \"lstrip\": false,"
            + " \"rstrip\": false, \"normalized\": false, \"special\": true},";
    String last = "\"special\": true\n  }\n ],";
    try (TextTokenizer t =
        tokenizer(dir, last, last.replace("\n ],", ",\n" + extra.replace("},", "}") + "\n ],"))) {
      assertEquals(42, t.vocabularySize(), added);
      TextLimits limits = new TextLimits(8, 41);
      assertEquals(1, TextExamples.unlabelled(table("text", "a"), t, limits).size());
      refused(() -> TextExamples.unlabelled(table("text", "a <new>"), t, limits), "ids up to 41");
    }
  }

  @Test
  void selectsAndJoins() {
    TextExamples e =
        classes("text\tlabel", "a\tx", "a good film\ty", "a " + "the ".repeat(9) + "\tx");
    TextExamples chosen = e.select(new int[] {2, 0});
    assertArrayEquals(e.ids(2), chosen.ids(0));
    assertArrayEquals(new int[] {0, 0}, chosen.labels());
    assertEquals(1, chosen.truncated());
    assertEquals(e.classNames(), chosen.classNames());
    TextExamples more = TextExamples.unlabelled(table("text", "bad", "", "x"), tokenizer, LIMITS);
    TextExamples both = e.with(more);
    assertEquals(5, both.size());
    assertArrayEquals(new int[] {0, 1, 0, -1, -1}, both.labels());
    assertArrayEquals(more.ids(1), both.ids(4));
    assertArrayEquals(e.ids(1), both.ids(1));
    assertEquals("x", both.text(4));
    assertEquals(1, both.truncated());
    TextExamples longer =
        TextExamples.unlabelled(table("text", "bad"), tokenizer, TextLimits.ofLength(9));
    assertThrows(IllegalArgumentException.class, () -> e.with(longer));
    assertThrows(IllegalArgumentException.class, () -> e.with(classes("text\tlabel", "a\tother")));
  }

  @Test
  void splitsOffItsShareOfEveryClass() {
    List<String> rows = new ArrayList<>(List.of("text\tlabel"));
    for (int i = 0; i < 100; i++) {
      rows.add("a\t" + (i % 10 == 0 ? "rare" : i % 5 == 1 ? "" : "common"));
    }
    TextExamples e = classes(rows.toArray(String[]::new));
    TextSplit split = TextSplit.holdOut(e, 0.2, 7);
    assertEquals(100, split.train().size() + split.heldOut().size());
    assertArrayEquals(split.heldOut().labels(), TextSplit.holdOut(e, 0.2, 7).heldOut().labels());
    int[] held = split.heldOut().labels();
    assertEquals(2, Arrays.stream(held).filter(l -> l == 1).count());
    assertEquals(14, Arrays.stream(held).filter(l -> l == 0).count());
    assertEquals(16, held.length);
  }

  @Test
  void splitsNumbersByTheirSize() {
    Random random = new Random(2);
    String[] rows =
        IntStream.range(0, 101)
            .mapToObj(i -> i == 0 ? "text\tscore" : "a\t" + random.nextDouble())
            .toArray(String[]::new);
    TextExamples e = TextExamples.regression(table(rows), tokenizer, LIMITS);
    int[] strata = TextSplit.strata(e);
    for (int s = 0; s < 5; s++) {
      int stratum = s;
      assertEquals(20, Arrays.stream(strata).filter(x -> x == stratum).count());
    }
    for (int i = 0; i < 100; i++) {
      for (int j = 0; j < 100; j++) {
        assertTrue(strata[i] <= strata[j] || e.target(i) >= e.target(j));
      }
    }
    assertEquals(20, TextSplit.holdOut(e, 0.2, 1).heldOut().size());
  }

  @Test
  void splitsSentences() {
    String text = "a O\n\n".repeat(10);
    TextExamples e =
        TextExamples.tokens(ConllFile.parse("x", text), tokenizer, LIMITS, Optional.empty());
    assertEquals(3, TextSplit.holdOut(e, 0.3, 1).heldOut().size());
    TextExamples bare = TextExamples.unlabelled(table("text", "a", "b"), tokenizer, LIMITS);
    refused(() -> TextSplit.holdOut(bare, 0.3, 1), "too few labelled");
  }
}
