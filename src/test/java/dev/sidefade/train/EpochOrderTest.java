package dev.sidefade.train;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.sidefade.tensor.BadInputException;
import java.util.Arrays;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** Which examples come when. */
class EpochOrderTest {
  private static EpochOrder order(int labelled, int unlabelled, int batch, long seed) {
    return new EpochOrder(labelled, unlabelled, batch, seed, new int[0]);
  }

  @Test
  void everyExampleComesEquallyOftenAndEveryPassIsWhole() {
    Random random = new Random(1);
    for (int round = 0; round < 60; round++) {
      int labelled = 1 + random.nextInt(40);
      int unlabelled = random.nextBoolean() ? 0 : 1 + random.nextInt(60);
      EpochOrder order = order(labelled, unlabelled, 2 + random.nextInt(20), random.nextLong());
      int[] all = IntStream.range(0, 7).flatMap(e -> Arrays.stream(order.epoch(e))).toArray();
      assertEquals(7L * order.steps() * order.rows(), all.length);
      assertWholePasses(Arrays.stream(all).filter(i -> i < labelled).toArray(), labelled, 0);
      assertWholePasses(
          Arrays.stream(all).filter(i -> i >= labelled).toArray(), unlabelled, labelled);
    }
  }

  /** Cut into pieces of {@code count}, every piece is a permutation; the last may be unfinished. */
  private static void assertWholePasses(int[] walk, int count, int first) {
    for (int from = 0; from < walk.length; from += count) {
      int[] pass = Arrays.copyOfRange(walk, from, Math.min(walk.length, from + count));
      assertEquals(pass.length, Arrays.stream(pass).distinct().count(), "twice in one pass");
      assertTrue(Arrays.stream(pass).allMatch(i -> i >= first && i < first + count));
    }
  }

  /** Also where there are fewer labelled rows in all than in a step. */
  @Test
  void theLabelledRowsAloneAreAsManyInEachStep() {
    for (int labelled : new int[] {3, 8, 40}) {
      EpochOrder order = order(labelled, 100, 16, 3);
      EpochOrder alone = order.withoutUnlabelled();
      assertEquals(8, alone.rows());
      assertEquals(order.steps(), alone.steps());
      int[] with = Arrays.stream(order.epoch(1)).filter(i -> i < labelled).toArray();
      assertArrayEquals(with, alone.epoch(1), labelled + " labelled rows");
    }
  }

  @Test
  void halfOfEveryBatchIsUnlabelled() {
    for (int batch : new int[] {2, 5, 8}) {
      EpochOrder order = order(6, 31, batch, 3);
      int[] epoch = order.epoch(2);
      for (int step = 0; step < order.steps(); step++) {
        int[] rows = Arrays.copyOfRange(epoch, step * batch, (step + 1) * batch);
        assertEquals(batch / 2, Arrays.stream(rows).filter(i -> i >= 6).count());
      }
    }
  }

  @Test
  void ordersDependOnSeedAndEpochAlone() {
    EpochOrder order = order(20, 20, 8, 3);
    int[] later = order.epoch(4);
    assertArrayEquals(order.epoch(0), order(20, 20, 8, 3).epoch(0));
    assertArrayEquals(later, order(20, 20, 8, 3).epoch(4));
    assertFalse(Arrays.equals(later, order.epoch(3)));
    assertFalse(Arrays.equals(later, order(20, 20, 8, 4).epoch(4)));
    int[] both = order(20, 20, 40, 3).epoch(0);
    int[] second = Arrays.stream(both).filter(i -> i >= 20).map(i -> i - 20).toArray();
    assertFalse(
        Arrays.equals(Arrays.stream(both).filter(i -> i < 20).toArray(), second),
        "labelled and unlabelled rows are shuffled alike");
  }

  @Test
  void aBatchIsNoLargerThanTheData() {
    EpochOrder order = order(3, 0, 64, 1);
    assertEquals(3, order.rows());
    assertEquals(1, order.steps());
    assertArrayEquals(new int[] {0, 1, 2}, Arrays.stream(order.epoch(0)).sorted().toArray());
    EpochOrder mixed = order(2, 3, 64, 1);
    assertEquals(5, mixed.rows());
    assertEquals(2, Arrays.stream(mixed.epoch(0)).filter(i -> i >= 2).count());
    EpochOrder one = order(1, 0, 1, 1);
    assertArrayEquals(new int[] {0}, one.epoch(9));
  }

  @Test
  void fewUnlabelledRowsTakeNoMoreRoomThanTheyAre() {
    EpochOrder order = order(50, 1, 16, 3);
    int[] epoch = order.epoch(0);
    assertEquals(4, order.steps());
    assertEquals(4, Arrays.stream(epoch).filter(i -> i == 50).count(), "once in every batch");
    assertEquals(50, Arrays.stream(epoch).filter(i -> i < 50).distinct().count());
    assertEquals(15, order.withoutUnlabelled().rows());
  }

  @Test
  void withoutUnlabelledRowsTheLabelledOnesComeAsBefore() {
    EpochOrder order = order(10, 90, 8, 5);
    EpochOrder alone = order.withoutUnlabelled();
    assertEquals(order.steps(), alone.steps());
    assertEquals(4, alone.rows());
    for (int epoch = 0; epoch < 3; epoch++) {
      assertArrayEquals(
          Arrays.stream(order.epoch(epoch)).filter(i -> i < 10).toArray(), alone.epoch(epoch));
    }
  }

  @Test
  void fewTextsAreNotSortedBesideThemselves() {
    int[] lengths = IntStream.range(0, 5080).map(i -> 3 + i % 40).toArray();
    EpochOrder order = new EpochOrder(80, 5000, 64, 1, lengths);
    int[] epoch = order.epoch(0);
    for (int step = 0; step < order.steps(); step++) {
      int[] labelled = Arrays.copyOfRange(epoch, step * 64, step * 64 + 32);
      long different = Arrays.stream(labelled).distinct().count();
      assertTrue(different >= 20, "batch " + step + " holds " + different + " different texts");
    }
  }

  @Test
  void anEpochHasAsManyStepsAsAllRowsFill() {
    assertEquals(4, order(25, 0, 8, 1).steps());
    assertEquals(3, order(24, 0, 8, 1).steps());
    assertEquals(7, order(10, 40, 8, 1).steps());
  }

  @Test
  void textsOfSimilarLengthComeTogetherAndNoneIsLost() {
    Random random = new Random(4);
    int[] lengths = IntStream.range(0, 200).map(i -> 3 + random.nextInt(60)).toArray();
    EpochOrder plain = order(120, 80, 16, 9);
    EpochOrder bucketed = new EpochOrder(120, 80, 16, 9, lengths);
    for (int e = 0; e < 3; e++) {
      int[] order = bucketed.epoch(e);
      assertArrayEquals(
          Arrays.stream(plain.epoch(e)).sorted().toArray(),
          Arrays.stream(order).sorted().toArray());
      for (int i = 0; i < order.length; i++) {
        assertEquals(i % 16 < 8, order[i] < 120, "labelled rows first in every batch");
      }
      assertTrue(padding(order, lengths) < 0.5 * padding(plain.epoch(e), lengths));
    }
  }

  /** Tokens that are padding when every batch of 16 is as long as its longest. */
  private static long padding(int[] order, int[] lengths) {
    long padding = 0;
    for (int from = 0; from < order.length; from += 16) {
      int[] batch = Arrays.copyOfRange(order, from, Math.min(from + 16, order.length));
      int longest = Arrays.stream(batch).map(i -> lengths[i]).max().orElseThrow();
      padding += Arrays.stream(batch).map(i -> longest - lengths[i]).sum();
    }
    return padding;
  }

  @Test
  void aBatchOfOneCannotMixBothKinds() {
    assertThrows(BadInputException.class, () -> order(3, 4, 1, 0));
    assertEquals(3, order(3, 0, 1, 0).steps());
  }
}
