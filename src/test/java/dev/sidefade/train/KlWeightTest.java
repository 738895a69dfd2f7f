package dev.sidefade.train;

import static org.junit.jupiter.api.Assertions.assertEquals;

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
    assertEquals(0.5f, KlWeight.fixed(0.5f).next(List.of(), true));
    assertEquals(0.5f, KlWeight.fixed(0.5f).next(List.of(epoch(0.9, 0.1)), true));
  }

  @Test
  void onlyALeadingTeacherIsListenedTo() {
    KlWeight auto = new KlWeight(2, true);
    assertEquals(0, auto.next(List.of(), true), "nobody leads at the start");
    assertEquals(2, auto.next(List.of(epoch(0.5, 0.6)), true));
    assertEquals(0, auto.next(List.of(epoch(0.5, 0.6)), false));
    assertEquals(0, auto.next(List.of(epoch(0.5, 0.5)), true), "a tie teaches nothing");
    assertEquals(2, auto.next(List.of(epoch(0.6, 0.5)), false));
  }

  @Test
  void threeEpochsDecide() {
    KlWeight auto = new KlWeight(1, true);
    List<EpochRecord> history = new ArrayList<>(List.of(epoch(0.9, 0.1), epoch(0.5, 0.6)));
    assertEquals(0, auto.next(history, true), "one better epoch does not outweigh a far worse one");
    history.add(epoch(0.5, 0.6));
    history.add(epoch(0.6, 0.55));
    assertEquals(1, auto.next(history, true), "the first epoch is forgotten, 1.75 against 1.6");
  }
}
