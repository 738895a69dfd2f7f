package dev.sidefade.data;

import static dev.sidefade.data.TestImages.refused;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;

class AugmentationTest {
  private static final ImageSpec SPEC =
      new ImageSpec(
          3, 5, 4, new float[] {0.1f, 0.2f, 0.3f}, new float[] {1, 2, 4}, Resizing.STRETCHED);

  private static float[] random(int n, long seed) {
    Random random = new Random(seed);
    float[] image = new float[n];
    for (int i = 0; i < n; i++) {
      image[i] = random.nextFloat();
    }
    return image;
  }

  @Test
  void shiftsEveryWay() {
    float[] original = random(SPEC.size() + 6, 1);
    for (int dy = -7; dy <= 7; dy++) {
      for (int dx = -7; dx <= 7; dx++) {
        float[] shifted = original.clone();
        Augmentation.shift(shifted, 3, SPEC, dy, dx);
        float[] expected = original.clone();
        for (int c = 0; c < 3; c++) {
          for (int y = 0; y < 5; y++) {
            for (int x = 0; x < 4; x++) {
              boolean inside = y - dy >= 0 && y - dy < 5 && x - dx >= 0 && x - dx < 4;
              expected[3 + (c * 5 + y) * 4 + x] =
                  inside ? original[3 + (c * 5 + y - dy) * 4 + x - dx] : SPEC.normalise(0, c);
            }
          }
        }
        assertArrayEquals(expected, shifted, dy + ", " + dx);
      }
    }
  }

  @Test
  void flipsRows() {
    float[] original = random(SPEC.size() + 2, 1);
    float[] flipped = original.clone();
    Augmentation.flip(flipped, 1, SPEC);
    for (int i = 0; i < SPEC.size(); i++) {
      assertEquals(original[1 + i / 4 * 4 + 3 - i % 4], flipped[1 + i]);
    }
    assertEquals(original[0], flipped[0]);
    assertEquals(original[SPEC.size() + 1], flipped[SPEC.size() + 1]);
  }

  @Test
  void theKeyAloneDecides() {
    Augmentation both = new Augmentation(true, 2);
    float[] original = random(SPEC.size(), 1);
    Map<Integer, Integer> outcomes = new HashMap<>();
    for (int example = 0; example < 5000; example++) {
      long key = Augmentation.key(7, 3, example);
      float[] a = original.clone();
      float[] b = original.clone();
      both.apply(a, 0, SPEC, key);
      both.apply(b, 0, SPEC, key);
      assertArrayEquals(a, b);
      outcomes.merge(Arrays.hashCode(a), 1, Integer::sum);
    }
    // two flips times 5 x 5 shifts, about equally often
    assertEquals(50, outcomes.size());
    assertTrue(outcomes.values().stream().allMatch(n -> n > 50 && n < 160), outcomes.toString());
  }

  @Test
  void epochsAndSeedsDiffer() {
    assertTrue(Augmentation.key(1, 1, 1) != Augmentation.key(1, 2, 1));
    assertTrue(Augmentation.key(1, 1, 1) != Augmentation.key(2, 1, 1));
    assertTrue(Augmentation.key(1, 1, 1) != Augmentation.key(1, 1, 2));
  }

  @Test
  void noneChangesNothing() {
    float[] original = random(SPEC.size(), 1);
    float[] image = original.clone();
    for (int i = 0; i < 50; i++) {
      Augmentation.NONE.apply(image, 0, SPEC, i);
    }
    assertArrayEquals(original, image);
    assertTrue(Augmentation.NONE.isNone());
    refused(() -> new Augmentation(true, -1), "-1 pixels");
  }
}
