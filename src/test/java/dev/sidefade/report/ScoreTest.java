package dev.sidefade.report;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.api.Test;

class ScoreTest {
  @Test
  void sharesArePercentAndPoints() {
    Score score = new Score(RunReport.F1);
    assertEquals("F1", score.label());
    assertEquals("87.5 %", score.shown(0.875));
    assertEquals("+1.3 points", score.signed(0.0125));
    assertEquals("±0.0 points", score.signed(-1e-9));
    assertEquals("1.3 points worse than", score.compared(-0.0125));
    assertEquals("level with", score.compared(0.0004));
    assertEquals(100, score.factor());
    assertEquals("accuracy, %", new Score(RunReport.ACCURACY).axis());
  }

  @Test
  void correlationsArePlainNumbers() {
    Score score = new Score(RunReport.SPEARMAN);
    assertEquals("Spearman correlation", score.label());
    assertEquals("0.873", score.shown(0.8731));
    assertEquals("−0.250", score.shown(-0.25));
    assertEquals("−0.013", score.signed(-0.0125));
    assertEquals("±0.000", score.signed(0.0001));
    assertEquals("0.013 better than", score.compared(0.0125));
    assertEquals(1, score.factor());
  }

  @Test
  void otherMeasures() {
    assertEquals("Mean squared error", new Score(RunReport.MSE).label());
    assertEquals("1.23", new Score(RunReport.MSE).shown(1.2345));
    assertEquals("Top 5", new Score("top_5").label());
    for (String measure : new String[] {RunReport.ACCURACY, RunReport.SPEARMAN, RunReport.MSE}) {
      assertEquals("–", new Score(measure).shown(Double.NaN));
    }
  }
}
