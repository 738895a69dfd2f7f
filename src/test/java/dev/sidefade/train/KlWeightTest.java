package dev.sidefade.train;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** When the teacher is listened to. */
class KlWeightTest {
  private static EpochRecord epoch(double faded, double side) {
    return new EpochRecord(1, Map.of(), faded, side, 1, List.of(), 1, 0);
  }

  @Test
  void aFixedWeightNeverChanges() {
    assertEquals(0.5f, KlWeight.fixed(0.5f).next(List.of(), true, 200));
    assertEquals(0.5f, KlWeight.fixed(0.5f).next(List.of(epoch(0.9, 0.1)), true, 200));
  }

  @Test
  void aTeacherThatLeadsOrIsLevelIsListenedToInFull() {
    KlWeight auto = new KlWeight(2, true);
    assertEquals(0, auto.next(List.of(), true, 200), "nobody knows anything at the start");
    assertEquals(2, auto.next(List.of(epoch(0.5, 0.6)), true, 200));
    assertEquals(2, auto.next(List.of(epoch(0.5, 0.5)), true, 200));
    assertEquals(0, auto.next(List.of(epoch(0.5, 0.6)), false, 200));
    assertEquals(2, auto.next(List.of(epoch(0.6, 0.5)), false, 200));
  }

  @Test
  void aStudentAheadByTheStandardErrorHearsNothing() {
    KlWeight auto = new KlWeight(2, true);
    // of 0.9 over 225 rows: sqrt(0.9 * 0.1 / 225) = 0.02
    assertEquals(0, auto.next(List.of(epoch(0.9, 0.879)), true, 225));
    assertEquals(1, auto.next(List.of(epoch(0.9, 0.89)), true, 225), 1e-3f);
    assertEquals(0, auto.next(List.of(epoch(0.9, 0.89)), true, 22_500), "more rows tell more");
  }

  @Test
  void aPerfectScoreStillHasAnError() {
    KlWeight auto = new KlWeight(1, true);
    float weight = auto.next(List.of(epoch(1, 0.995)), true, 200);
    assertTrue(weight > 0.5 && weight < 1, "weight " + weight);
  }

  @Test
  void fiveEpochsDecide() {
    KlWeight auto = new KlWeight(1, true);
    List<EpochRecord> history = new ArrayList<>(List.of(epoch(0.9, 0.1), epoch(0.5, 0.6)));
    assertEquals(
        0, auto.next(history, true, 200), "one better epoch does not outweigh a far worse one");
    for (int i = 0; i < 4; i++) {
      history.add(epoch(0.5, 0.55));
    }
    assertEquals(1, auto.next(history, true, 200), "the first epoch is forgotten");
  }
}
