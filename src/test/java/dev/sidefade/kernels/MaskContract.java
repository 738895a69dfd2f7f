package dev.sidefade.kernels;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.sidefade.tensor.CounterRandom;
import dev.sidefade.tensor.Tensor;
import java.util.Arrays;
import org.junit.jupiter.api.Test;

/** {@link Kernels#drawMask}, {@link Kernels#insertMaskToken} and its gradient. */
public interface MaskContract extends KernelContract {

  private static float[] draw(
      Lab lab, long seed, long stream, float ratio, TokenLayout layout, float[] valid) {
    Tensor removed = lab.out(layout.batch(), layout.tokens());
    Tensor tv = valid == null ? null : lab.in(valid, layout.rows());
    lab.kernels().drawMask(seed, stream, ratio, layout, tv, removed);
    float[] got = lab.read(removed);
    lab.finish();
    return got;
  }

  @Test
  default void drawnMasksEqualTheDefinition() {
    // ratios that are exact in binary: floor(V (1 - ratio)) has one meaning
    float[] ratios = {0, 0.125f, 0.25f, 0.5f, 0.75f, 1};
    try (Lab lab = new Lab(open())) {
      for (int tokens : new int[] {1, 2, 5, 17, 64, 197, 1000}) {
        for (int prefix = 0; prefix <= Math.min(2, tokens); prefix++) {
          for (float ratio : ratios) {
            for (boolean padded : new boolean[] {false, true}) {
              TokenLayout layout = new TokenLayout(3, tokens, prefix, 0, 0);
              float[] valid = padded ? Data.validity(tokens, 3, tokens) : null;
              float[] want =
                  MaskReference.draw(
                      42 + tokens, prefix, layout, valid, n -> (int) Math.floor(n * (1.0 - ratio)));
              assertArrayEquals(
                  want,
                  draw(lab, 42 + tokens, prefix, ratio, layout, valid),
                  tokens + " tokens, prefix " + prefix + ", ratio " + ratio + ", padded " + padded);
            }
          }
        }
      }
    }
  }

  /** A ratio as a float is a little more or less than the decimal number that was meant. */
  @Test
  default void aTenthOfTenTokensIsOne() {
    try (Lab lab = new Lab(open())) {
      for (int tenths = 0; tenths <= 10; tenths++) {
        for (int tokens : new int[] {10, 20, 190, 1000}) {
          TokenLayout layout = new TokenLayout(1, tokens, 0, 0, 0);
          int gone = 0;
          for (float removed : draw(lab, 5, tenths, tenths / 10f, layout, null)) {
            gone += (int) removed;
          }
          assertEquals(tokens / 10 * tenths, gone, tenths + " tenths of " + tokens);
        }
      }
    }
  }

  @Test
  default void drawnMasksKeepPrefixAndPaddingAndRemoveExactCounts() {
    TokenLayout layout = new TokenLayout(4, 197, 1, 14, 14);
    float[] valid = Data.validity(5, 4, 197);
    try (Lab lab = new Lab(open())) {
      for (int stream = 0; stream < 20; stream++) {
        float[] removed = draw(lab, -7, stream, 0.5f, layout, valid);
        for (int b = 0; b < 4; b++) {
          int count = 0;
          int gone = 0;
          assertEquals(0, removed[b * 197], "the prefix token of sample " + b);
          for (int t = 1; t < 197; t++) {
            int row = b * 197 + t;
            assertTrue(removed[row] == 0 || removed[row] == 1, "mask value " + removed[row]);
            assertTrue(
                valid[row] == 1 || removed[row] == 0, "padding in row " + row + " was removed");
            count += (int) valid[row];
            gone += (int) removed[row];
          }
          assertEquals(count - count / 2, gone, "removed tokens of sample " + b);
        }
      }
    }
  }

  @Test
  default void drawnMasksDifferBySeedStreamAndSample() {
    TokenLayout layout = new TokenLayout(2, 64, 0, 8, 8);
    try (Lab lab = new Lab(open())) {
      float[] first = draw(lab, 1, 1, 0.5f, layout, null);
      assertTrue(!Arrays.equals(first, draw(lab, 2, 1, 0.5f, layout, null)), "seed");
      assertTrue(!Arrays.equals(first, draw(lab, 1, 2, 0.5f, layout, null)), "stream");
      assertTrue(!Arrays.equals(first, 0, 64, first, 64, 128), "sample");
      assertArrayEquals(first, draw(lab, 1, 1, 0.5f, layout, null), "the same draw again");
    }
  }

  /**
   * Two tokens of equal noise with the border between kept and removed just between them: the first
   * is kept.
   */
  @Test
  default void drawnMasksBreakTiesByIndex() {
    int tokens = 4096;
    TokenLayout layout = new TokenLayout(1, tokens, 0, 0, 0);
    int found = 0;
    try (Lab lab = new Lab(open())) {
      for (long stream = 0; found < 3 && stream < 200; stream++) {
        Integer border = tie(3, stream, tokens);
        if (border != null) {
          found++;
          float ratio = 1 - (border + 0.5f) / tokens;
          int kept = border;
          float[] want = MaskReference.draw(3, stream, layout, null, n -> kept);
          assertArrayEquals(want, draw(lab, 3, stream, ratio, layout, null), "stream " + stream);
        }
      }
    }
    assertEquals(3, found, "ties to test with");
  }

  /**
   * How many tokens to keep so that of two tokens of equal noise only the first is kept; null
   * without a tie.
   */
  private static Integer tie(long seed, long stream, int tokens) {
    float[] noise = new float[tokens];
    for (int t = 0; t < tokens; t++) {
      noise[t] = CounterRandom.uniform(seed, stream, t);
    }
    Arrays.sort(noise);
    for (int i = 1; i < tokens; i++) {
      if (noise[i] == noise[i - 1]) {
        return i;
      }
    }
    return null;
  }

  @Test
  default void maskTokensReplaceRemovedRowsOnly() {
    try (Lab lab = new Lab(open())) {
      for (int rows : Shapes.ROWS) {
        for (int width : Shapes.WIDTHS) {
          for (double probability : new double[] {0, 0.5, 1}) {
            insert(lab, rows, width, Data.flags(rows + width, rows, probability));
          }
        }
      }
    }
  }

  private static void insert(Lab lab, int rows, int width, float[] removed) {
    String what = "mask token " + rows + "x" + width + " ";
    float[] x = Data.normal(1, rows * width);
    float[] token = Data.normal(2, width);
    float[] dy = Data.normal(3, rows * width);
    float[] before = Data.normal(4, rows * width);
    Tensor tr = lab.in(removed, rows);
    Tensor y = lab.out(rows, width);
    lab.kernels()
        .insertMaskToken(
            lab.in(Data.poison(x, width, removed, 1), rows, width), tr, lab.in(token, width), y);
    Tensor dx = lab.inOut(before, rows, width);
    Tensor dToken = lab.out(width);
    lab.kernels().insertMaskTokenBackward(lab.in(dy, rows, width), tr, dx, dToken);
    float[] wantY = x.clone();
    float[] wantDx = before.clone();
    double[] wantToken = new double[width];
    for (int i = 0; i < x.length; i++) {
      if (removed[i / width] == 1) {
        wantY[i] = token[i % width];
        wantToken[i % width] += dy[i];
      } else {
        wantDx[i] += dy[i];
      }
    }
    assertArrayEquals(wantY, lab.read(y), what + "y");
    assertArrayEquals(wantDx, lab.read(dx), what + "dx");
    Close.near(
        what + "dMaskToken",
        lab.read(dToken),
        wantToken,
        rows,
        Math.max(4, Data.largest(wantToken)));
    lab.finish();
  }
}
