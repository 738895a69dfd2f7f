package dev.sidefade.data;

import static dev.sidefade.data.TestImages.refused;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;

import org.junit.jupiter.api.Test;

class ImageSpecTest {
  private static ImageSpec spec(int c, int h, int w, float[] mean, float[] std, double crop) {
    Resizing resizing = new Resizing(Resizing.Interpolation.BILINEAR, crop < 1, crop);
    return new ImageSpec(c, h, w, mean, std, resizing);
  }

  @Test
  void copiesItsArrays() {
    float[] mean = {0.5f};
    ImageSpec spec = spec(3, 4, 5, mean, new float[] {0.1f, 0.2f, 0.3f}, 0.9);
    mean[0] = 7;
    spec.mean()[0] = 8;
    spec.std()[1] = 9;
    assertEquals(0.5f, spec.meanOf(2));
    assertEquals(0.2f, spec.stdOf(1));
    assertEquals(60, spec.size());
    assertEquals((100 / 255f - 0.5f) / 0.2f, spec.normalise(100, 1));
  }

  @Test
  void comparesByValue() {
    ImageSpec a = spec(1, 4, 5, new float[] {0.5f}, new float[] {1}, 1);
    ImageSpec b = spec(1, 4, 5, new float[] {0.5f}, new float[] {1}, 1);
    assertEquals(a, b);
    assertEquals(a.hashCode(), b.hashCode());
    assertNotEquals(a, spec(1, 4, 5, new float[] {0.4f}, new float[] {1}, 1));
    assertNotEquals(a, spec(1, 4, 5, new float[] {0.5f}, new float[] {1}, 0.9));
  }

  @Test
  void refusesWhatCannotBe() {
    float[] zero = {0};
    float[] one = {1};
    refused(() -> spec(2, 4, 4, zero, one, 1), "2 channels");
    refused(() -> spec(1, 0, 4, zero, one, 1), "0x4");
    refused(() -> spec(1, 4, 9000, zero, one, 1), "4x9000");
    refused(() -> spec(3, 4, 4, new float[2], one, 1), "2 values of mean", "1 or 3");
    refused(() -> spec(3, 4, 4, zero, new float[0], 1), "0 values of std");
    refused(() -> spec(3, 4, 4, null, one, 1), "mean");
    refused(() -> spec(1, 4, 4, zero, zero, 1), "std of 0.0", "positive");
    refused(() -> spec(1, 4, 4, zero, new float[] {-1}, 1), "positive");
    refused(() -> spec(1, 4, 4, zero, new float[] {Float.NaN}, 1), "NaN");
    refused(() -> spec(1, 4, 4, new float[] {Float.POSITIVE_INFINITY}, one, 1), "Infinity");
    refused(() -> spec(1, 4, 4, zero, one, 0), "crop fraction of 0.0");
    refused(() -> spec(1, 4, 4, zero, one, 1.01), "crop fraction");
    refused(() -> spec(1, 4, 4, zero, one, Double.NaN), "crop fraction");
  }
}
