package dev.sidefade.train;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.sidefade.tensor.DType;
import dev.sidefade.tensor.Shape;
import dev.sidefade.tensor.Tensor;
import java.lang.foreign.Arena;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Which tokens are hidden, and where. */
class TokenDropoutTest {
  private static final int ROWS = 50;
  private static final int TOKENS = 40;
  private final Arena arena = Arena.ofConfined();

  @AfterEach
  void close() {
    arena.close();
  }

  private Tensor tensor(DType type) {
    return Tensor.wrap(
        arena.allocate((long) ROWS * TOKENS * type.bytes(), 64), Shape.of(ROWS, TOKENS), type);
  }

  private static int length(int row) {
    return 1 + row % TOKENS;
  }

  private static long at(int row, int token) {
    return (long) row * TOKENS + token;
  }

  /** Texts of 1 to 40 tokens. */
  private ExampleSet.Loaded batch(String mask, DType type) {
    Tensor flags = tensor(DType.F32);
    Tensor seen = tensor(type);
    for (int row = 0; row < ROWS; row++) {
      for (int token = 0; token < length(row); token++) {
        flags.segment().setAtIndex(ValueLayout.JAVA_FLOAT, at(row, token), 1);
        if (type == DType.I32) {
          seen.segment().setAtIndex(ValueLayout.JAVA_INT, at(row, token), 1);
        } else {
          seen.segment().setAtIndex(ValueLayout.JAVA_LONG, at(row, token), 1);
        }
      }
    }
    return new ExampleSet.Loaded(
        Map.of("input_ids", tensor(type), mask, seen),
        new int[ROWS],
        TOKENS,
        flags.view((long) ROWS * TOKENS));
  }

  private static long[] mask(ExampleSet.Loaded batch, String name) {
    Tensor mask = batch.inputs().get(name);
    return mask.dtype() == DType.I32
        ? Arrays.stream(mask.segment().toArray(ValueLayout.JAVA_INT)).asLongStream().toArray()
        : mask.segment().toArray(ValueLayout.JAVA_LONG);
  }

  @ParameterizedTest
  @EnumSource(names = {"I32", "I64"})
  void hidesTheShareAndNothingElse(DType type) {
    ExampleSet.Loaded batch = batch("attention_mask", type);
    new TokenDropout(0.25f, 7, true).hide(batch, 3);
    long[] mask = mask(batch, "attention_mask");
    int hidden = 0;
    int possible = 0;
    for (int row = 0; row < ROWS; row++) {
      assertEquals(1, mask[row * TOKENS], "the first token stays");
      for (int token = 1; token < TOKENS; token++) {
        if (token < length(row)) {
          possible++;
          hidden += mask[row * TOKENS + token] == 0 ? 1 : 0;
        } else {
          assertEquals(0, mask[row * TOKENS + token], "padding stays padding");
        }
      }
    }
    // five standard deviations
    assertEquals(0.25, (double) hidden / possible, 5 * Math.sqrt(0.25 * 0.75 / possible));
    float[] flags = batch.valid().toFloats();
    for (int i = 0; i < mask.length; i++) {
      assertEquals(mask[i], (long) flags[i], "both say the same");
    }
  }

  @Test
  void tokensWithClassesOfTheirOwnKeepTheirFlags() {
    ExampleSet.Loaded batch = batch("input_mask", DType.I64);
    float[] before = batch.valid().toFloats();
    new TokenDropout(0.5f, 7, false).hide(batch, 0);
    assertArrayEquals(before, batch.valid().toFloats());
    long seen = Arrays.stream(mask(batch, "input_mask")).sum();
    double tokens = 0;
    for (float flag : before) {
      tokens += flag;
    }
    assertEquals(0.5, seen / tokens, 0.1);
  }

  @Test
  void theNumberOfTheBatchAndTheSeedDecide() {
    long[] first = hidden(7, 3);
    assertArrayEquals(first, hidden(7, 3));
    assertFalse(Arrays.equals(first, hidden(7, 4)));
    assertFalse(Arrays.equals(first, hidden(8, 3)));
  }

  private long[] hidden(long seed, long number) {
    ExampleSet.Loaded batch = batch("attention_mask", DType.I64);
    new TokenDropout(0.3f, seed, true).hide(batch, number);
    return mask(batch, "attention_mask");
  }

  @Test
  void withoutAMaskNothingCanBeHidden() {
    ExampleSet.Loaded batch = batch("segment_ids", DType.I64);
    TokenDropout dropout = new TokenDropout(0.3f, 1, true);
    assertThrows(IllegalArgumentException.class, () -> dropout.hide(batch, 0));
  }
}
