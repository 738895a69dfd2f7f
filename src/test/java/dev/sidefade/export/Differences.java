package dev.sidefade.export;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

/** How far outputs are from each other. */
final class Differences {
  private Differences() {}

  /** Every element within a share of the larger of 1 and the largest element. */
  static void assertClose(float[] expected, float[] found, double share, String what) {
    assertEquals(expected.length, found.length, what);
    double largest = 0;
    double scale = 1;
    for (int i = 0; i < expected.length; i++) {
      largest = Math.max(largest, Math.abs((double) expected[i] - found[i]));
      scale = Math.max(scale, Math.abs(expected[i]));
    }
    assertTrue(largest <= share * scale, what + " differs by " + largest + " of " + scale);
  }
}
