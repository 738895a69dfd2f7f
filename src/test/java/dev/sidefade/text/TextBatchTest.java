package dev.sidefade.text;

import static dev.sidefade.text.TestTexts.refused;
import static dev.sidefade.text.TestTexts.tokenizer;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.sidefade.data.Shuffle;
import dev.sidefade.tensor.DType;
import dev.sidefade.tensor.Shape;
import dev.sidefade.tensor.Tensor;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Batches of similar length and their padding. */
class TextBatchTest {
  @TempDir Path dir;

  private TextExamples pairs(int maxLength) throws IOException {
    String text = "text\ttext_b\na\tgood film\nthe film is bad\ta bad , bad play\nun\tin\n";
    try (TextTokenizer t = tokenizer(dir, "\"pad_id\": 0", "\"pad_id\": 4")) {
      TextTable table = TextTable.parse("x", text, false, false);
      return TextExamples.unlabelled(table, t, TextLimits.ofLength(maxLength));
    }
  }

  private static long[] longs(Tensor tensor) {
    return tensor.segment().toArray(ValueLayout.JAVA_LONG);
  }

  @Test
  void padsToTheLongest() throws IOException {
    TextExamples e = pairs(32);
    try (Arena arena = Arena.ofConfined()) {
      List<String> names = List.of("token_type_ids", "input_ids", "attention_mask");
      TextBatch batch =
          TextBatch.of(e, new int[] {2, 0}, longs(names), bytes -> arena.allocate(bytes, 8));
      assertEquals(2, batch.size());
      assertEquals(8, batch.tokens());
      assertEquals(names, List.copyOf(batch.inputs().keySet()));
      Tensor ids = batch.inputs().get("input_ids");
      assertEquals(Shape.of(2, 8), ids.shape());
      assertEquals(DType.I64, ids.dtype());
      assertArrayEquals(new long[] {2, 19, 3, 35, 3, 4, 4, 4, 2, 5, 3, 7, 9, 3, 4, 4}, longs(ids));
      assertArrayEquals(
          new long[] {0, 0, 0, 1, 1, 0, 0, 0, 0, 0, 0, 1, 1, 1, 0, 0},
          longs(batch.inputs().get("token_type_ids")));
      long[] mask = {1, 1, 1, 1, 1, 0, 0, 0, 1, 1, 1, 1, 1, 1, 0, 0};
      assertArrayEquals(mask, longs(batch.inputs().get("attention_mask")));
      assertEquals(Shape.of(16), batch.valid().shape());
      for (int i = 0; i < 16; i++) {
        assertEquals(mask[i], batch.valid().get(i));
      }
      assertEquals(16, TextBatch.tokens(e, new int[] {0, 1}));
      refused(
          () ->
              TextBatch.of(
                  e, new int[] {0}, Map.of("pixel_values", DType.I64), b -> arena.allocate(b, 8)),
          "wants an input 'pixel_values'",
          "input_ids");
    }
  }

  private static Map<String, DType> longs(List<String> names) {
    Map<String, DType> types = new LinkedHashMap<>();
    names.forEach(name -> types.put(name, DType.I64));
    return types;
  }

  @Test
  void narrowNumbersAndPlacesThatGoOnOverPadding() throws IOException {
    TextExamples e = pairs(32);
    try (Arena arena = Arena.ofConfined()) {
      Map<String, DType> types =
          Map.of("input_ids", DType.I32, "position_ids", DType.I64, "attention_mask", DType.I32);
      TextBatch batch = TextBatch.of(e, new int[] {2, 0}, types, b -> arena.allocate(b, 8));
      Tensor ids = batch.inputs().get("input_ids");
      assertEquals(DType.I32, ids.dtype());
      assertEquals(Shape.of(2, 8), ids.shape());
      assertArrayEquals(
          new int[] {2, 19, 3, 35, 3, 4, 4, 4, 2, 5, 3, 7, 9, 3, 4, 4},
          ids.segment().toArray(ValueLayout.JAVA_INT));
      assertArrayEquals(
          new int[] {1, 1, 1, 1, 1, 0, 0, 0, 1, 1, 1, 1, 1, 1, 0, 0},
          batch.inputs().get("attention_mask").segment().toArray(ValueLayout.JAVA_INT));
      assertArrayEquals(
          new long[] {0, 1, 2, 3, 4, 5, 6, 7, 0, 1, 2, 3, 4, 5, 6, 7},
          longs(batch.inputs().get("position_ids")));
      Tensor floats = Tensor.wrap(arena.allocate(64, 8), Shape.of(2, 8), DType.F32);
      assertThrows(
          IllegalArgumentException.class,
          () -> TextBatch.fill(e, new int[] {2, 0}, TextInput.IDS, floats));
    }
  }

  @Test
  void fillsTensorsThatAreLarger() throws IOException {
    TextExamples e = pairs(32);
    try (Arena arena = Arena.ofConfined()) {
      Tensor ids = Tensor.wrap(arena.allocate(2 * 24 * 8, 8), Shape.of(2, 24), DType.I64);
      TextBatch.fill(e, new int[] {1, 0}, TextInput.IDS, ids);
      long[] written = longs(ids);
      assertArrayEquals(
          Arrays.stream(e.ids(1)).asLongStream().toArray(), Arrays.copyOf(written, e.length(1)));
      assertTrue(Arrays.stream(written, e.length(1), 24).allMatch(i -> i == 4));
      assertThrows(
          IllegalArgumentException.class,
          () -> TextBatch.fill(e, new int[] {0, 1, 2, 0, 1}, TextInput.IDS, ids));
      assertThrows(
          IllegalArgumentException.class, () -> TextBatch.fillValid(e, new int[] {0, 1}, ids));
    }
  }

  @Test
  void padsLabelsOfTokens() throws IOException {
    try (TextTokenizer t = tokenizer(dir)) {
      ConllFile file = ConllFile.parse("x", "john P\nunlikely O\n\na O\n");
      TextExamples e = TextExamples.tokens(file, t, TextLimits.ofLength(9), Optional.empty());
      assertArrayEquals(
          new int[] {-1, 0, -1, -1, -1, -1, -1, -1, 1, 0, -1, -1, -1, -1},
          TextBatch.tokenLabels(e, new int[] {1, 0}, 7));
    }
  }

  @Test
  void neverPadsBeyondTheLimit() throws IOException {
    assertEquals(8, LengthBuckets.paddedLength(1, 512));
    assertEquals(8, LengthBuckets.paddedLength(8, 512));
    assertEquals(16, LengthBuckets.paddedLength(9, 512));
    assertEquals(13, LengthBuckets.paddedLength(9, 13));
    assertEquals(
        Integer.MAX_VALUE, LengthBuckets.paddedLength(Integer.MAX_VALUE - 3, Integer.MAX_VALUE));
    assertThrows(IllegalArgumentException.class, () -> LengthBuckets.paddedLength(14, 13));
    assertEquals(11, TextBatch.tokens(pairs(11), new int[] {1}));
  }

  @Test
  void bucketsKeepEveryExample() {
    Random random = new Random(9);
    for (int round = 0; round < 300; round++) {
      int examples = 1 + random.nextInt(400);
      int batch = 1 + random.nextInt(20);
      int[] lengths = IntStream.range(0, examples).map(i -> 3 + random.nextInt(60)).toArray();
      // some examples, some of them twice
      int[] order = random.ints(random.nextInt(500), 0, examples).toArray();
      int[] before = order.clone();
      int[] arranged = LengthBuckets.arrange(order, lengths, batch, lengths.length, round, 3);
      assertArrayEquals(before, order);
      assertArrayEquals(
          arranged, LengthBuckets.arrange(order, lengths, batch, lengths.length, round, 3));
      Arrays.sort(before);
      int[] sorted = arranged.clone();
      Arrays.sort(sorted);
      assertArrayEquals(before, sorted);
      // a batch is a run of a sorted window, or of two neighbours where the smaller one was cut out
      for (int from = 0;
          from + batch <= arranged.length && order.length % batch == 0;
          from += batch) {
        for (int i = from + 1; i < from + batch; i++) {
          assertTrue(lengths[arranged[i - 1]] <= lengths[arranged[i]]);
        }
      }
    }
    assertThrows(
        IllegalArgumentException.class,
        () -> LengthBuckets.arrange(new int[1], new int[1], 0, 1, 1, 1));
  }

  @Test
  void bucketsSparePaddingAndShuffleBatches() {
    Random random = new Random(1);
    int n = 2003;
    int[] lengths = IntStream.range(0, n).map(i -> 3 + random.nextInt(100)).toArray();
    int[] order = Shuffle.permutation(n, 4, 0);
    int[] arranged = LengthBuckets.arrange(order, lengths, 16, lengths.length, 4, 0);
    long real = Arrays.stream(lengths).asLongStream().sum();
    assertTrue(padded(order, lengths, 16) > 1.7 * real);
    assertTrue(padded(arranged, lengths, 16) < 1.12 * real);
    assertFalse(
        Arrays.equals(arranged, LengthBuckets.arrange(order, lengths, 16, lengths.length, 4, 1)));
    // early batches are as long as late ones
    long first = Arrays.stream(arranged, 0, 1000).mapToLong(i -> lengths[i]).sum();
    assertTrue(first > 0.42 * real && first < 0.58 * real, first + " of " + real);
  }

  /** Labelled and unlabelled examples, arranged each by itself, meet in batches of like length. */
  @Test
  void kindsOfAsManyBatchesAreShuffledAlike() {
    Random random = new Random(3);
    int n = 1600;
    int[] lengths = IntStream.range(0, 2 * n).map(i -> 3 + random.nextInt(100)).toArray();
    int[] one =
        LengthBuckets.arrange(Shuffle.permutation(n, 4, 0), lengths, 8, lengths.length, 4, 0);
    int[] others = Arrays.stream(Shuffle.permutation(n, 5, 0)).map(i -> i + n).toArray();
    int[] two = LengthBuckets.arrange(others, lengths, 8, lengths.length, 4, 0);
    long apart = 0;
    for (int from = 0; from < n; from += 8) {
      apart += Math.abs(lengths[one[from + 7]] - lengths[two[from + 7]]);
    }
    assertTrue(apart / (n / 8) < 10, apart / (n / 8) + " tokens apart");
  }

  private static long padded(int[] order, int[] lengths, int batch) {
    long tokens = 0;
    for (int from = 0; from < order.length; from += batch) {
      int to = Math.min(order.length, from + batch);
      tokens +=
          (to - from) * (long) Arrays.stream(order, from, to).map(i -> lengths[i]).max().getAsInt();
    }
    return tokens;
  }
}
