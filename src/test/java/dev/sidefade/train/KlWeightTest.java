package dev.sidefade.train;

import static dev.sidefade.train.KlWeight.Rule.UNLESS_BEHIND;
import static dev.sidefade.train.KlWeight.Rule.WHILE_AHEAD;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** When the teacher is listened to. */
class KlWeightTest {
  private static final int EPOCHS = 40;

  private static EpochRecord epoch(double faded, double side) {
    return new EpochRecord(1, Map.of(), faded, side, 1, List.of(), 1, 0);
  }

  /** As many epochs as every rule wants to see. */
  private static List<EpochRecord> epochs(double faded, double side) {
    return Collections.nCopies(5, epoch(faded, side));
  }

  @Test
  void aFixedWeightNeverChanges() {
    assertEquals(0.5f, KlWeight.fixed(0.5f).next(List.of(), EPOCHS, true, 200));
    assertEquals(0.5f, KlWeight.fixed(0.5f).next(List.of(epoch(0.9, 0.1)), EPOCHS, true, 200));
  }

  @ParameterizedTest
  @EnumSource(names = "FIXED", mode = EnumSource.Mode.EXCLUDE)
  void aClearLeadDecides(KlWeight.Rule rule) {
    KlWeight auto = new KlWeight(2, rule);
    assertEquals(0, auto.next(List.of(), EPOCHS, true, 200), "nobody knows anything at the start");
    assertEquals(2, auto.next(epochs(0.5, 0.6), EPOCHS, true, 200));
    assertEquals(0, auto.next(epochs(0.6, 0.5), EPOCHS, true, 200));
    assertEquals(2, auto.next(epochs(0.6, 0.5), EPOCHS, false, 200));
    assertEquals(0, auto.next(epochs(0.5, 0.6), EPOCHS, false, 200));
  }

  @Test
  void theRulesDifferWhereChanceMayDecide() {
    KlWeight unlessBehind = new KlWeight(2, UNLESS_BEHIND);
    KlWeight whileAhead = new KlWeight(2, WHILE_AHEAD);
    // of 0.9 over 225 rows: sqrt(0.9 * 0.1 / 225) = 0.02
    List<EpochRecord> level = epochs(0.9, 0.9);
    List<EpochRecord> behind = epochs(0.9, 0.89);
    List<EpochRecord> ahead = epochs(0.9, 0.91);
    assertEquals(2, unlessBehind.next(level, EPOCHS, true, 225));
    assertEquals(0, whileAhead.next(level, EPOCHS, true, 225));
    assertEquals(1, unlessBehind.next(behind, EPOCHS, true, 225), 1e-3f);
    assertEquals(0, whileAhead.next(behind, EPOCHS, true, 225));
    assertEquals(2, unlessBehind.next(ahead, EPOCHS, true, 225));
    assertEquals(1, whileAhead.next(ahead, EPOCHS, true, 225), 1e-3f);
  }

  /** As of a regression that says the same of every example. */
  @ParameterizedTest
  @EnumSource(names = "FIXED", mode = EnumSource.Mode.EXCLUDE)
  void aScoreThatIsNoNumberTellsNothing(KlWeight.Rule rule) {
    KlWeight auto = new KlWeight(2, rule);
    assertEquals(0, auto.next(epochs(Double.NaN, 0.9), EPOCHS, true, 200));
    assertEquals(0, auto.next(epochs(0.9, Double.NaN), EPOCHS, true, 200));
    List<EpochRecord> later = new ArrayList<>(epochs(0.5, 0.6));
    later.set(0, epoch(Double.NaN, 0.6));
    assertEquals(2, auto.next(later, EPOCHS, true, 200), "the other epochs tell enough");
  }

  @Test
  void moreRowsTellMore() {
    List<EpochRecord> behind = epochs(0.9, 0.89);
    assertEquals(0, new KlWeight(2, UNLESS_BEHIND).next(behind, EPOCHS, true, 22_500));
    assertEquals(2, new KlWeight(2, WHILE_AHEAD).next(behind, EPOCHS, false, 22_500));
  }

  @Test
  void aPerfectScoreStillHasAnError() {
    float weight = new KlWeight(1, UNLESS_BEHIND).next(epochs(1, 0.995), EPOCHS, true, 200);
    assertTrue(weight > 0.5 && weight < 1, "weight " + weight);
  }

  @Test
  void aLeadAtTheStartDecidesForTheWeakerStudentOnly() {
    KlWeight unlessBehind = new KlWeight(1, UNLESS_BEHIND);
    KlWeight whileAhead = new KlWeight(1, WHILE_AHEAD);
    List<EpochRecord> history = epochs(0.3, 0.6);
    for (int seen = 1; seen < 5; seen++) {
      assertEquals(1, unlessBehind.next(history.subList(0, seen), EPOCHS, true, 200));
      assertEquals(
          0, whileAhead.next(history.subList(0, seen), EPOCHS, true, 200), "after " + seen);
    }
    assertEquals(1, whileAhead.next(history, EPOCHS, true, 200));
  }

  @Test
  void fiveEpochsDecide() {
    KlWeight auto = new KlWeight(1, WHILE_AHEAD);
    List<EpochRecord> history = new ArrayList<>(epochs(0.5, 0.6));
    history.set(0, epoch(0.9, 0.1));
    assertEquals(
        0,
        auto.next(history, EPOCHS, true, 200),
        "four better epochs do not outweigh a far worse one");
    history.add(epoch(0.5, 0.6));
    assertEquals(1, auto.next(history, EPOCHS, true, 200), "the first epoch is forgotten");
  }

  /** Of 40 epochs five, of six two, of two one. */
  @ParameterizedTest
  @CsvSource({"40, 5", "15, 5", "14, 4", "6, 2", "3, 1", "2, 1"})
  void aShortTrainingWaitsForAThird(int all, int unheard) {
    KlWeight auto = new KlWeight(1, WHILE_AHEAD);
    List<EpochRecord> history = Collections.nCopies(unheard, epoch(0.5, 0.6));
    assertEquals(1, auto.next(history, all, true, 200));
    assertEquals(0, auto.next(history.subList(1, unheard), all, true, 200));
  }
}
