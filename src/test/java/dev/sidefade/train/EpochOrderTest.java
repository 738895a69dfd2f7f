package dev.sidefade.train;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** Which examples come when. */
class EpochOrderTest {
  @Test
  void everyExampleComesEquallyOftenAndEveryPassIsWhole() {
    Random random = new Random(1);
    for (int round = 0; round < 60; round++) {
      int labelled = 1 + random.nextInt(40);
      int unlabelled = random.nextBoolean() ? 0 : 1 + random.nextInt(60);
      EpochOrder order =
          new EpochOrder(labelled, unlabelled, 2 + random.nextInt(20), random.nextLong());
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

  @Test
  void halfOfEveryBatchIsUnlabelled() {
    for (int batch : new int[] {2, 5, 8}) {
      EpochOrder order = new EpochOrder(6, 31, batch, 3);
      int[] epoch = order.epoch(2);
      for (int step = 0; step < order.steps(); step++) {
        int[] rows = Arrays.copyOfRange(epoch, step * batch, (step + 1) * batch);
        assertEquals(batch / 2, Arrays.stream(rows).filter(i -> i >= 6).count());
      }
    }
  }

  @Test
  void ordersDependOnSeedAndEpochAlone() {
    EpochOrder order = new EpochOrder(20, 20, 8, 3);
    int[] later = order.epoch(4);
    assertArrayEquals(order.epoch(0), new EpochOrder(20, 20, 8, 3).epoch(0));
    assertArrayEquals(later, new EpochOrder(20, 20, 8, 3).epoch(4));
    assertFalse(Arrays.equals(later, order.epoch(3)));
    assertFalse(Arrays.equals(later, new EpochOrder(20, 20, 8, 4).epoch(4)));
    int[] both = new EpochOrder(20, 20, 40, 3).epoch(0);
    int[] second = Arrays.stream(both).filter(i -> i >= 20).map(i -> i - 20).toArray();
    assertFalse(
        Arrays.equals(Arrays.stream(both).filter(i -> i < 20).toArray(), second),
        "labelled and unlabelled rows are shuffled alike");
  }

  @Test
  void aBatchIsNoLargerThanTheData() {
    EpochOrder order = new EpochOrder(3, 0, 64, 1);
    assertEquals(3, order.rows());
    assertEquals(1, order.steps());
    assertArrayEquals(new int[] {0, 1, 2}, Arrays.stream(order.epoch(0)).sorted().toArray());
    EpochOrder mixed = new EpochOrder(2, 3, 64, 1);
    assertEquals(5, mixed.rows());
    assertEquals(2, Arrays.stream(mixed.epoch(0)).filter(i -> i >= 2).count());
    EpochOrder one = new EpochOrder(1, 0, 1, 1);
    assertArrayEquals(new int[] {0}, one.epoch(9));
  }

  @Test
  void anEpochHasAsManyStepsAsAllRowsFill() {
    assertEquals(4, new EpochOrder(25, 0, 8, 1).steps());
    assertEquals(3, new EpochOrder(24, 0, 8, 1).steps());
    assertEquals(7, new EpochOrder(10, 40, 8, 1).steps());
  }
}
