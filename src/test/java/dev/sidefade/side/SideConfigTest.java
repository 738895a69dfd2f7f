package dev.sidefade.side;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.sidefade.kernels.MaskPlacement;
import dev.sidefade.kernels.Pooling;
import dev.sidefade.tensor.BadInputException;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** What a side network cannot be. */
class SideConfigTest {
  private static SideConfig config(
      BlockKind kind, List<Integer> taps, int width, int heads, int hidden, int classes) {
    return new SideConfig(
        kind, taps, width, heads, hidden, Pooling.CLS, classes, 1e-6f, 0.1f, MaskPlacement.STATE);
  }

  private static void refused(
      BlockKind kind, List<Integer> taps, int width, int heads, int hidden, int classes) {
    String message =
        assertThrows(
                BadInputException.class, () -> config(kind, taps, width, heads, hidden, classes))
            .getMessage();
    assertFalse(message.contains("\n"), message);
  }

  @Test
  void refusals() {
    List<Integer> taps = List.of(8, 8);
    refused(BlockKind.ADAPTER, List.of(), 4, 1, 4, 2);
    refused(BlockKind.ADAPTER, List.of(8), 4, 1, 4, 2);
    refused(BlockKind.ADAPTER, taps, 0, 1, 4, 2);
    refused(BlockKind.ADAPTER, taps, 4, 1, 0, 2);
    refused(BlockKind.ADAPTER, taps, 4, 1, 4, 0);
    refused(BlockKind.TRANSFORMER, taps, 10, 3, 4, 2);
    refused(BlockKind.TRANSFORMER, taps, 10, 0, 4, 2);
    refused(BlockKind.TRANSFORMER, taps, 10, -5, 4, 2);
    String message =
        assertThrows(
                BadInputException.class, () -> config(BlockKind.TRANSFORMER, taps, 10, 3, 4, 2))
            .getMessage();
    assertTrue(message.contains("10") && message.contains("3 heads"), message);
  }

  @Test
  void adaptersNeedNoHeads() {
    assertEquals(2, config(BlockKind.ADAPTER, List.of(8, 9, 7), 10, 0, 4, 2).blocks());
  }

  @Test
  void tapsAreCopied() {
    List<Integer> taps = new ArrayList<>(List.of(8, 8));
    SideConfig config = config(BlockKind.ADAPTER, taps, 4, 1, 4, 2);
    taps.add(9);
    assertEquals(1, config.blocks());
  }
}
