package dev.sidefade.distill;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.sidefade.kernels.MaskPlacement;
import dev.sidefade.kernels.Pooling;
import dev.sidefade.layers.Parameters;
import dev.sidefade.side.BlockKind;
import dev.sidefade.side.SideConfig;
import dev.sidefade.tensor.BadInputException;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;

/** What a feature path refuses, in one sentence that names the value. */
class FeatureConfigTest {
  private static final List<Integer> NONE = List.of();

  private static FeatureConfig taps(List<Integer> shallow, List<Integer> deep) {
    return new FeatureConfig(shallow, deep, 4, 1, 1, 0.5f, true, false);
  }

  private static void refused(String part, Executable call) {
    String message = assertThrows(BadInputException.class, call).getMessage();
    assertTrue(message.contains(part), message);
    assertFalse(message.contains("\n"), message);
  }

  @Test
  void tapsAreNamedOnce() {
    refused("[2]", () -> taps(List.of(1, 2), List.of(2, 3)));
    refused("[1, 1]", () -> taps(List.of(1, 1), List.of(2)));
    refused("[3, 2, 3]", () -> taps(NONE, List.of(3, 2, 3)));
    assertEquals(NONE, taps(NONE, NONE).deep());
  }

  @Test
  void numbersAreInRange() {
    refused("got 0", () -> new FeatureConfig(NONE, NONE, 0, 1, 1, 0.5f, true, false));
    for (float ratio : new float[] {0, -0.1f, 1.01f, Float.NaN}) {
      refused("" + ratio, () -> new FeatureConfig(NONE, NONE, 1, 1, 1, ratio, true, false));
    }
    for (float weight : new float[] {-1, Float.NaN}) {
      refused("" + weight, () -> new FeatureConfig(NONE, NONE, 1, weight, 1, 1, true, false));
      refused("" + weight, () -> new FeatureConfig(NONE, NONE, 1, 1, weight, 1, true, false));
    }
    assertEquals(1, new FeatureConfig(NONE, NONE, 1, 0, 0, 1, true, false).generationRatio());
  }

  @Test
  void listsAreCopied() {
    List<Integer> shallow = new ArrayList<>(List.of(1));
    FeatureConfig config = taps(shallow, NONE);
    shallow.add(2);
    assertEquals(List.of(1), config.shallow());
  }

  private static SideConfig side(BlockKind kind, int heads) {
    return new SideConfig(
        kind, List.of(6, 8, 6), 10, heads, 4, Pooling.CLS, 2, 1e-6f, 0.1f, MaskPlacement.STATE);
  }

  @Test
  void tapsMustExist() {
    SideConfig side = side(BlockKind.ADAPTER, 1);
    for (int tap : new int[] {-1, 3}) {
      List<Integer> taps = List.of(tap);
      refused("tap " + tap, () -> new FeaturePath(taps(taps, NONE), side, new Parameters()));
      refused("tap " + tap, () -> new FeaturePath(taps(NONE, taps), side, new Parameters()));
    }
  }

  @Test
  void alignmentsHaveTheWidthsOfTheirTapsAndGeneratorsTheirKind() {
    FeatureConfig sequence = new FeatureConfig(List.of(1), List.of(2), 3, 1, 1, 0.5f, false, false);
    for (int heads : new int[] {0, 3, 5}) {
      Parameters p = new Parameters();
      new FeaturePath(sequence, side(BlockKind.ADAPTER, heads), p);
      assertEquals("[10, 3]", p.get("align.1.down").shape().toString());
      assertEquals("[3, 8]", p.get("align.1.up").shape().toString());
      assertEquals("[3, 6]", p.get("align.2.up").shape().toString());
      assertEquals("[10, 30]", p.get("generator.2.block.qkv.weight").shape().toString());
      assertFalse(p.get("generator.2.mask_token").decay());
      assertTrue(p.get("align.1.down").decay());
    }
    Parameters p = new Parameters();
    new FeaturePath(taps(NONE, List.of(0)), side(BlockKind.TRANSFORMER, 2), p);
    assertEquals("[90, 10]", p.get("generator.0.conv2.weight").shape().toString());
  }
}
