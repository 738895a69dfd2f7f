package dev.sidefade.text;

import static dev.sidefade.text.TestTexts.TOKENIZER;
import static dev.sidefade.text.TestTexts.mutator;
import static dev.sidefade.text.TestTexts.refused;
import static dev.sidefade.text.TestTexts.tokenizer;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.sidefade.fuzz.Mutator;
import dev.sidefade.tensor.BadInputException;
import dev.sidefade.text.TextTokenizer.Encoded;
import dev.sidefade.text.TextTokenizer.EncodedWords;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TextTokenizerTest {
  @TempDir Path dir;

  @Test
  void encodesTextsAndPairs() throws IOException {
    try (TextTokenizer t = tokenizer(dir)) {
      Encoded one = t.encode("The GOOD film, unlikely!", Optional.empty(), 32);
      assertArrayEquals(new int[] {2, 6, 7, 9, 23, 19, 20, 21, 27, 3}, one.ids());
      assertArrayEquals(new int[10], one.typeIds());
      assertFalse(one.truncated());
      Encoded pair = t.encode("playing", Optional.of("caf\u00E9 xyz"), 32);
      assertArrayEquals(new int[] {2, 15, 16, 3, 31, 1, 3}, pair.ids());
      assertArrayEquals(new int[] {0, 0, 0, 0, 1, 1, 1}, pair.typeIds());
      assertEquals(41, t.vocabularySize());
      assertEquals(0, t.padId());
      assertEquals(OptionalInt.of(16), t.suggestedLength());
      assertEquals(2, t.specialTokens(false));
      assertEquals(3, t.specialTokens(true));
    }
  }

  @Test
  void cutsToTheLength() throws IOException {
    try (TextTokenizer t = tokenizer(dir)) {
      Encoded one = t.encode("a good film is bad", Optional.empty(), 4);
      assertArrayEquals(new int[] {2, 5, 7, 3}, one.ids());
      assertTrue(one.truncated());
      assertFalse(t.encode("a good", Optional.empty(), 4).truncated());
      Encoded pair = t.encode("a good film is bad", Optional.of("the film"), 8);
      assertArrayEquals(new int[] {2, 5, 7, 9, 3, 6, 9, 3}, pair.ids());
      assertArrayEquals(new int[] {0, 0, 0, 0, 0, 1, 1, 1}, pair.typeIds());
      assertTrue(pair.truncated());
      refused(
          () -> t.encode("a", Optional.empty(), 2), "length of 2", "no room", "adds 2 to a text");
      refused(() -> t.encode("a", Optional.of("b"), 3), "adds 3 to a pair");
    }
    String direction = "\"direction\": \"Right\"";
    try (TextTokenizer t = tokenizer(dir, direction, "\"direction\": \"Left\"")) {
      Encoded one = t.encode("a good film is bad", Optional.empty(), 4);
      assertArrayEquals(new int[] {2, 12, 8, 3}, one.ids());
    }
  }

  @Test
  void cutsTheLongerTextFirst() {
    assertArrayEquals(new int[] {2, 3}, Cut.longestFirst(2, 3, 5));
    assertArrayEquals(new int[] {2, 5}, Cut.longestFirst(2, 9, 7));
    assertArrayEquals(new int[] {5, 2}, Cut.longestFirst(9, 2, 7));
    assertArrayEquals(new int[] {3, 4}, Cut.longestFirst(4, 4, 7));
    assertArrayEquals(new int[] {4, 3}, Cut.longestFirst(9, 8, 7));
    assertArrayEquals(new int[] {0, 7}, Cut.longestFirst(0, 9, 7));
    for (int first = 0; first < 12; first++) {
      for (int second = 0; second < 12; second++) {
        for (int room = 1; room < 20; room++) {
          int[] kept = Cut.longestFirst(first, second, room);
          assertEquals(Math.min(room, first + second), kept[0] + kept[1]);
          assertTrue(kept[0] <= first && kept[1] <= second);
          // who was cut is not much shorter than who was not
          assertTrue(kept[0] == first || kept[0] >= kept[1] - 1);
          assertTrue(kept[1] == second || kept[1] >= kept[0] - 1);
        }
      }
    }
  }

  @Test
  void namesTheWordThatATokenBegins() throws IOException {
    try (TextTokenizer t = tokenizer(dir)) {
      List<String> words = List.of("John", "unlikely", "\u200B", "xyz,", "Berlin");
      EncodedWords e = t.encodeWords(words, 32);
      assertArrayEquals(new int[] {2, 37, 19, 20, 21, 1, 23, 34, 3}, e.ids());
      assertArrayEquals(new int[] {-1, 0, 1, -1, -1, 3, -1, 4, -1}, e.wordOf());
      EncodedWords cut = t.encodeWords(words, 5);
      assertArrayEquals(new int[] {-1, 0, 1, -1, -1}, cut.wordOf());
      assertTrue(cut.truncated());
    }
  }

  /** As words are tokenised within texts: after a blank, which byte-level BPE makes visible. */
  @Test
  void putsABlankBeforeWordsWhereTheTokenizerLooksForIt() throws IOException {
    String json =
        """
        {"version":"1.0","truncation":null,"padding":null,"added_tokens":[],"normalizer":null,
        "pre_tokenizer":{"type":"ByteLevel","add_prefix_space":false,"trim_offsets":true,
        "use_regex":true},"post_processor":null,"decoder":null,
        "model":{"type":"BPE","dropout":null,"unk_token":null,"continuing_subword_prefix":null,
        "end_of_word_suffix":null,"fuse_unk":false,"byte_fallback":false,
        "vocab":{"a":0,"b":1,"\u0120":2,"\u0120a":3,"<pad>":4},"merges":[["\u0120","a"]]}}
        """;
    try (TextTokenizer t = TextTokenizer.open(Files.writeString(dir.resolve("bpe.json"), json))) {
      assertArrayEquals(new int[] {0, 1, 3}, t.encode("ab a", Optional.empty(), 9).ids());
      EncodedWords words = t.encodeWords(List.of("ab", "a"), 9);
      assertArrayEquals(new int[] {3, 1, 3}, words.ids());
      assertArrayEquals(new int[] {0, -1, 1}, words.wordOf());
      assertEquals(4, t.padId());
      assertEquals(OptionalInt.empty(), t.suggestedLength());
      assertEquals(0, t.specialTokens(true));
    }
  }

  @Test
  void strangeTextsDoNoHarm() throws IOException {
    try (TextTokenizer t = tokenizer(dir)) {
      for (String text :
          List.of("", " ", "\uD83D", "a \uDE00 \uD83D\uDE00 b", "\u0000\u0007", "[SEP] [MASK]")) {
        int[] ids = t.encode(text, Optional.empty(), 32).ids();
        assertEquals(2, ids[0]);
        assertEquals(3, ids[ids.length - 1]);
        t.encode(text, Optional.of(text), 32);
        t.encodeWords(List.of(text, "a"), 32);
      }
      // halves of pairs do not spoil their neighbours
      int[] beside = t.encode("good \uD83D film \uD83D\uDE00", Optional.empty(), 32).ids();
      assertEquals(7, beside[1]);
      assertTrue(IntStream.of(beside).anyMatch(i -> i == 9), Arrays.toString(beside));
      String endless = "good ".repeat(100_000);
      assertEquals(64, t.encode(endless, Optional.of(endless), 64).ids().length);
    }
  }

  @Test
  void threadsTakeTurns() throws IOException {
    try (TextTokenizer t = tokenizer(dir)) {
      IntStream.range(0, 400)
          .parallel()
          .forEach(i -> {
            int length = 3 + i % 5;
            Encoded e = t.encode("a good film is bad", Optional.empty(), length);
            assertEquals(length, e.ids().length);
          });
    }
  }

  @Test
  void isSilentAndClosesOnce() throws IOException {
    PrintStream error = System.err;
    ByteArrayOutputStream written = new ByteArrayOutputStream();
    System.setErr(new PrintStream(written, true, StandardCharsets.UTF_8));
    try {
      TextTokenizer t = tokenizer(dir);
      t.encode("a", Optional.empty(), 9);
      t.close();
      t.close();
      assertThrows(IllegalStateException.class, () -> t.encode("a", Optional.empty(), 9));
    } finally {
      System.setErr(error);
    }
    assertEquals("", written.toString(StandardCharsets.UTF_8));
  }

  @Test
  void saysWhatIsWrongWithAFile() throws IOException {
    Path file = dir.resolve("t.json");
    refused(() -> TextTokenizer.open(file), "tokenizer", "t.json does not exist");
    refused(() -> TextTokenizer.open(dir), "tokenizer.json does not exist");
    refused(() -> opened(""), "one JSON object");
    refused(() -> opened("[1]"), "one JSON object");
    refused(() -> opened("{}"), "no vocabulary", "tokenizer_config.json");
    refused(() -> opened("{\"model\":{\"vocab\":{\"a\":0}}} x"), "t.json");
    refused(() -> opened("{\"model\":{\"vocab\":{\"a\":-1}}}"), "'a' has -1", "integer from 0");
    refused(() -> opened("{\"model\":{\"vocab\":{\"a\":5000000000}}}"), "'a' has 5000000000");
    refused(() -> opened("{\"model\":{\"vocab\":[[]]}}"), "entry 0 of model.vocab");
    refused(() -> opened("{\"model\":{\"vocab\":{\"a\":0}}}"), "is not understood");
    refused(() -> opened("[".repeat(100_000)), "not valid JSON");
    Files.write(file, new byte[] {'{', (byte) 0xFF});
    refused(() -> TextTokenizer.open(file), "line 1 of tokenizer", "not UTF-8");
  }

  /** What the native library would end the process over. */
  @Test
  void refusesPartsThatDoNotFitTogether() {
    refused(
        () ->
            tokenizer(
                dir, "\"id\": \"[SEP]\",\n     \"type_id\"", "\"id\": \"[X]\",\n     \"type_id\""),
        "places the special token \"[X]\"");
    String normalizer = "\"normalizer\": {\n  \"type\": \"BertNormalizer\",";
    for (String map : List.of("AAAA", "!", "////fw==", "BQAAAAAAAAAA", "BAAAAAAAAAD/")) {
      refused(
          () ->
              tokenizer(
                  dir,
                  normalizer,
                  "\"normalizer\": {\"type\": \"Precompiled\", \"precompiled_charsmap\": \""
                      + map
                      + "\","),
          "precompiled_charsmap is damaged");
    }
    String preTokenizer = "\"type\": \"BertPreTokenizer\"";
    refused(
        () -> tokenizer(dir, preTokenizer, "\"type\": \"FixedLength\", \"length\": 0"),
        "length of 0");
    refused(
        () ->
            opened(
                "{\"model\":{\"type\":\"BPE\",\"continuing_subword_prefix\":\"##\","
                    + "\"vocab\":{\"a\":0,\"b\":1},\"merges\":[\"a b\"]}}"),
        "lacks the prefix ##");
  }

  @Test
  void damagedFilesAreReadOrRefused() throws IOException {
    Mutator mutator = mutator(TOKENIZER);
    Random random = new Random(8);
    int read = 0;
    for (int round = 0; round < 800; round++) {
      Path file = Files.write(dir.resolve("d.json"), mutator.mutant(random));
      try (TextTokenizer t = TextTokenizer.open(file)) {
        t.encode("a good film [SEP]", Optional.of("playing"), 16);
        t.encodeWords(List.of("a", "unlikely"), 16);
        read++;
      } catch (BadInputException e) {
        assertTrue(e.getMessage().length() < 900, e.getMessage());
      }
    }
    assertTrue(read > 0);
    for (int n = 0; n < TOKENIZER.length; n += 13) {
      Path file = Files.write(dir.resolve("d.json"), Arrays.copyOf(TOKENIZER, n));
      refused(() -> TextTokenizer.open(file), "d.json");
    }
  }

  private TextTokenizer opened(String json) throws IOException {
    return TextTokenizer.open(Files.writeString(dir.resolve("t.json"), json));
  }
}
