package dev.sidefade.distill;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** The share of masked tokens over a training. */
class MaskScheduleTest {
  @Test
  void valuesOnTheWay() {
    assertEquals(0.3f, MaskSchedule.CONSTANT.ratio(0.3f, 0, 9));
    assertEquals(0.3f, MaskSchedule.CONSTANT.ratio(0.3f, 5, 9));
    assertEquals(0.25f, MaskSchedule.LINEAR.ratio(0.5f, 4, 9));
    assertEquals(0.125f, MaskSchedule.LINEAR.ratio(0.5f, 2, 9));
    assertEquals(0.25f, MaskSchedule.COSINE.ratio(0.5f, 4, 9), 1e-7);
    assertEquals(0.5 * (1 - Math.sqrt(0.5)), MaskSchedule.COSINE.ratio(1, 2, 9), 1e-6);
  }

  @ParameterizedTest
  @EnumSource(MaskSchedule.class)
  void endsAreExactAndTheWayIsMonotone(MaskSchedule schedule) {
    for (float ratio : new float[] {0, 0.1f, 0.7f, 1}) {
      float start = schedule == MaskSchedule.CONSTANT ? ratio : 0;
      assertEquals(start, schedule.ratio(ratio, 0, 17));
      assertEquals(ratio, schedule.ratio(ratio, 16, 17));
      assertEquals(ratio, schedule.ratio(ratio, 40, 17), "beyond the end");
      assertEquals(ratio, schedule.ratio(ratio, 0, 1), "a training of one step");
      assertEquals(ratio, schedule.ratio(ratio, 0, 0));
      for (int step = 1; step < 17; step++) {
        float now = schedule.ratio(ratio, step, 17);
        assertTrue(now >= schedule.ratio(ratio, step - 1, 17) && now <= ratio);
      }
    }
  }
}
