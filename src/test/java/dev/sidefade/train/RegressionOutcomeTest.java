package dev.sidefade.train;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;

/** Correlations and errors; reference values by numpy. */
class RegressionOutcomeTest {
  @Test
  void agreesWithReferenceValues() {
    RegressionOutcome o =
        new RegressionOutcome(
            new float[] {1, 2.5f, 2.5f, 4, 0, 7}, new float[] {1.5f, 2, 3, 3, -1, Float.NaN});
    // numpy.corrcoef of the values and of their mean ranks over the first five
    assertEquals(0.888523317, o.pearson(), 1e-6);
    assertEquals(0.921052632, o.spearman(), 1e-6);
    assertEquals((0.25 + 0.25 + 0.25 + 1 + 1) / 5, o.meanSquaredError(), 1e-9);
    assertEquals(o.spearman(), o.score());
  }

  @Test
  void anyRisingPredictionHasTheBestRanks() {
    RegressionOutcome o =
        new RegressionOutcome(new float[] {1, 10, 100, 1000}, new float[] {0, 1, 2, 3});
    assertEquals(1, o.spearman(), 1e-12);
    assertTrue(o.pearson() < 0.9);
  }

  @Test
  void aPredictionThatIsNoNumberLeavesNoScore() {
    float[] said = {1, Float.NaN, 3, Float.NaN};
    RegressionOutcome o = new RegressionOutcome(said, new float[] {1, 2, 3, 4});
    assertTrue(Double.isNaN(o.score()) && Double.isNaN(o.pearson()));
    RegressionOutcome untold =
        new RegressionOutcome(said, new float[] {1, Float.NaN, 3, Float.NaN});
    assertEquals(1, untold.score(), 1e-12);
  }

  @Test
  void withoutSpreadOrNumbersThereIsNoCorrelation() {
    assertTrue(Double.isNaN(new RegressionOutcome(new float[] {1, 1}, new float[] {0, 1}).score()));
    float[] none = {Float.NaN};
    assertTrue(Double.isNaN(new RegressionOutcome(new float[] {1}, none).meanSquaredError()));
  }
}
