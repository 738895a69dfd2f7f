package dev.sidefade.report.svg;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.HashSet;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

class AxisTest {
  private static List<String> labels(Axis axis) {
    return axis.ticks().stream().map(axis::label).toList();
  }

  @Test
  void picksRoundTicks() {
    assertEquals(List.of("0", "20", "40", "60", "80", "100"), labels(Axis.rounded(0, 97.3, 5)));
    assertEquals(
        List.of("0.1", "0.12", "0.14", "0.16", "0.18", "0.2"), labels(Axis.rounded(0.1, 0.2, 5)));
    assertEquals(List.of("-1", "-0.5", "0", "0.5", "1"), labels(Axis.rounded(-1, 1, 5)));
  }

  @Test
  void wholeAxisOfOneEpochHasThatTick() {
    assertEquals(List.of("1"), labels(Axis.whole(1, 1, 8)));
    assertEquals(List.of("1", "2", "3"), labels(Axis.whole(1, 3, 8)));
    assertEquals(List.of("20", "40", "60", "80", "100"), labels(Axis.whole(1, 100, 8)));
  }

  @Test
  void missingRangeIsZeroToOne() {
    Axis axis = Axis.rounded(Double.NaN, Double.POSITIVE_INFINITY, 5);
    assertEquals(0, axis.low());
    assertEquals(1, axis.high());
  }

  @Test
  void logarithmicTicksFollowDecades() {
    assertEquals(List.of("0.01", "0.1", "1", "10"), labels(Axis.logarithmic(0.01, 10)));
    assertEquals(List.of("0.2", "0.5", "1"), labels(Axis.logarithmic(0.3, 0.8)));
    assertEquals(0.5, Axis.logarithmic(0.01, 100).position(1), 1e-12);
  }

  @Test
  void anyRangeGivesFewDistinctTicksThatCoverIt() {
    Random random = new Random(5);
    for (int i = 0; i < 20_000; i++) {
      double a = (random.nextDouble() - 0.5) * Math.pow(10, random.nextInt(600) - 300);
      double b =
          random.nextInt(4) == 0
              ? a
              : a * (1 + random.nextGaussian() * Math.pow(10, -random.nextInt(18)));
      checkLinear(Axis.rounded(Math.min(a, b), Math.max(a, b), 5), Math.min(a, b), Math.max(a, b));
      checkPositions(Axis.whole(Math.min(a, b), Math.max(a, b), 8));
      double low = Math.min(Math.abs(a), Math.abs(b));
      if (low > 0) {
        Axis axis = Axis.logarithmic(low, Math.max(Math.abs(a), Math.abs(b)));
        checkPositions(axis);
        assertFalse(axis.ticks().isEmpty());
        assertTrue(axis.position(low) >= -1e-9, () -> axis + " misses " + low);
      }
    }
  }

  private static void checkLinear(Axis axis, double low, double high) {
    checkPositions(axis);
    double slack = 1e-9 * Math.max(Math.abs(low), Math.abs(high));
    assertTrue(
        axis.low() <= low + slack && axis.high() >= high - slack, () -> axis + " for " + low);
    assertTrue(axis.ticks().size() >= 2, axis::toString);
    assertEquals(axis.ticks().size(), new HashSet<>(labels(axis)).size(), axis::toString);
  }

  private static void checkPositions(Axis axis) {
    assertTrue(axis.high() > axis.low(), axis::toString);
    assertTrue(axis.ticks().size() <= 16, axis::toString);
    for (double tick : axis.ticks()) {
      double position = axis.position(tick);
      assertTrue(position >= -1e-6 && position <= 1 + 1e-6, () -> axis + " at " + tick);
    }
  }

  @Test
  void extremesStayFinite() {
    for (Axis axis :
        List.of(
            Axis.rounded(-Double.MAX_VALUE, Double.MAX_VALUE, 5),
            Axis.rounded(0, Double.MIN_VALUE, 5),
            Axis.logarithmic(Double.MIN_VALUE, Double.MAX_VALUE))) {
      checkPositions(axis);
    }
  }
}
