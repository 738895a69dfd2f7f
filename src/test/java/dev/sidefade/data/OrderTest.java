package dev.sidefade.data;

import static dev.sidefade.data.TestImages.refused;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** Shuffling and splitting. */
class OrderTest {
  @Test
  void shufflesAreRepeatablePermutations() {
    for (int n : new int[] {0, 1, 2, 3, 10, 1001}) {
      int[] order = Shuffle.permutation(n, 5, 2);
      assertArrayEquals(order, Shuffle.permutation(n, 5, 2));
      int[] sorted = order.clone();
      Arrays.sort(sorted);
      assertArrayEquals(IntStream.range(0, n).toArray(), sorted);
    }
    assertFalse(Arrays.equals(Shuffle.permutation(100, 5, 2), Shuffle.permutation(100, 5, 3)));
    assertFalse(Arrays.equals(Shuffle.permutation(100, 5, 2), Shuffle.permutation(100, 6, 2)));
  }

  @Test
  void everyPositionIsAboutEquallyLikely() {
    int[][] counts = new int[5][5];
    for (int epoch = 0; epoch < 5000; epoch++) {
      int[] order = Shuffle.permutation(5, 1, epoch);
      for (int i = 0; i < 5; i++) {
        counts[i][order[i]]++;
      }
    }
    for (int[] row : counts) {
      for (int c : row) {
        assertTrue(c > 850 && c < 1150, Arrays.deepToString(counts));
      }
    }
  }

  @Test
  void splitsKeepEveryClassAndAllExamples() {
    Random random = new Random(4);
    for (int round = 0; round < 300; round++) {
      int n = 4 + random.nextInt(200);
      int classes = 1 + random.nextInt(12);
      double fraction = 0.01 + 0.9 * random.nextDouble();
      int[] labels = IntStream.range(0, n).map(i -> random.nextInt(classes + 1) - 1).toArray();
      labels[0] = 0;
      labels[1] = 0;
      Split split = Split.holdOut(labels, fraction, round);
      assertEquals(split, Split.holdOut(labels, fraction, round));
      int[] all =
          IntStream.concat(Arrays.stream(split.train()), Arrays.stream(split.heldOut()))
              .sorted()
              .toArray();
      assertArrayEquals(IntStream.range(0, n).toArray(), all);
      assertTrue(split.heldOut().length > 0);
      for (int c = -1; c < classes; c++) {
        int label = c;
        long of = Arrays.stream(labels).filter(l -> l == label).count();
        long held = Arrays.stream(split.heldOut()).filter(i -> labels[i] == label).count();
        if (c < 0) {
          assertEquals(0, held);
        } else if (of > 0) {
          assertTrue(held < of, "class " + c + " lost all its examples");
          assertTrue(Math.abs(held - of * fraction) <= 1, held + " of " + of + " at " + fraction);
        }
      }
    }
  }

  @Test
  void splitsOfEqualClassesAreExact() {
    int[] labels = IntStream.range(0, 200).map(i -> i % 10).toArray();
    assertEquals(40, Split.holdOut(labels, 0.2, 1).heldOut().length);
    assertFalse(Split.holdOut(labels, 0.2, 1).equals(Split.holdOut(labels, 0.2, 2)));
  }

  @Test
  void refusesSplitsThatCannotBe() {
    refused(() -> Split.holdOut(new int[] {0, 1, 2, -1, -1}, 0.5, 1), "too few");
    refused(() -> Split.holdOut(new int[] {0, 0}, 0, 1), "share of 0.0");
    refused(() -> Split.holdOut(new int[] {0, 0}, 1, 1), "share of 1.0");
    refused(() -> Split.holdOut(new int[] {0, 0}, Double.NaN, 1), "NaN");
  }
}
