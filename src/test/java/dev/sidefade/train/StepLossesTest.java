package dev.sidefade.train;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** Means of loss terms, and what is not finite. */
class StepLossesTest {
  @Test
  void meansAreOverTheStepsThatHadTheTerm() {
    StepLosses losses = new StepLosses();
    assertEquals(Map.of(), losses.means());
    losses.add("side", 1, 1);
    losses.add("backbone", 5, 1);
    losses.add("side", 2, 2);
    losses.add("side", 6, 3);
    losses.add("backbone", 7, 3);
    assertEquals(Map.of("side", 3.0, "backbone", 6.0), losses.means());
    assertEquals(List.of("side", "backbone"), List.copyOf(losses.means().keySet()));
  }

  @Test
  void whatIsNotFiniteIsNamedWithItsStep() {
    for (double bad :
        new double[] {Double.NaN, Double.POSITIVE_INFINITY, Double.NEGATIVE_INFINITY}) {
      StepLosses losses = new StepLosses();
      losses.add("side_kl", 1, 16);
      String message =
          assertThrows(DivergedException.class, () -> losses.add("side_kl", bad, 17)).getMessage();
      assertTrue(message.contains("side_kl") && message.contains("step 17"), message);
      assertTrue(message.contains("" + bad), message);
      assertEquals(1, losses.means().get("side_kl"), "the term is left out");
    }
  }
}
