package dev.sidefade.train;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;

/** Warm-up and the way down. */
class LearningRateTest {
  @Test
  void warmUpIsLinearAndEndsAtOne() {
    LearningRate rate = new LearningRate(4, 20);
    for (int step = 0; step < 4; step++) {
      assertEquals((step + 1) / 4.0, rate.factor(step));
    }
    assertEquals(1, rate.factor(4));
  }

  @Test
  void thenItFallsAlongHalfACosine() {
    LearningRate rate = new LearningRate(4, 20);
    assertEquals(0.5, rate.factor(12), 1e-12);
    assertEquals(0.5 * (1 + Math.sqrt(0.5)), rate.factor(8), 1e-12);
    for (int step = 5; step < 20; step++) {
      assertTrue(rate.factor(step) < rate.factor(step - 1));
      assertTrue(rate.factor(step) > 0, "the last step still learns");
    }
    assertEquals(0, rate.factor(20));
    assertEquals(0, rate.factor(1000));
  }

  @Test
  void withoutWarmUpItStartsAtOne() {
    assertEquals(1, new LearningRate(0, 10).factor(0));
    assertEquals(1, new LearningRate(0, 1).factor(0));
  }

  @Test
  void theWarmUpTakesAQuarterAtMost() {
    LearningRate rate = new LearningRate(20, 12);
    assertEquals(1 / 3.0, rate.factor(0));
    assertEquals(1, rate.factor(2));
    assertEquals(1, rate.factor(3));
    assertTrue(rate.factor(11) > 0);
    assertEquals(1, new LearningRate(20, 3).factor(0));
    assertEquals(new LearningRate(3, 12), rate);
  }
}
