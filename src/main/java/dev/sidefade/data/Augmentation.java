package dev.sidefade.data;

import dev.sidefade.tensor.BadInputException;
import dev.sidefade.tensor.CounterRandom;
import java.util.Arrays;

/**
 * Random changes to a training image: a horizontal flip with probability 1/2, then a shift by whole
 * pixels. What moves in from outside is black (grey level 0, before normalisation).
 *
 * @param flip whether to flip at all
 * @param shift largest shift in pixels, drawn uniformly from -shift .. shift for each axis; 0 for
 *     none
 */
public record Augmentation(boolean flip, int shift) {
  /** Leaves images as they are. */
  public static final Augmentation NONE = new Augmentation(false, 0);

  private static final long PURPOSE = 0x4175676D656E74L;
  private static final int MAX_SHIFT = 8192;

  /** Checks the range of the shift. */
  public Augmentation {
    if (shift < 0 || shift > MAX_SHIFT) {
      throw new BadInputException(
          "augmentation shifts by up to "
              + shift
              + " pixels, but 0 to "
              + MAX_SHIFT
              + " are possible");
    }
  }

  /**
   * {@return the key that decides what happens to an example in an epoch}
   *
   * @param seed what the random numbers follow from
   * @param epoch number of the epoch, from 0
   * @param example number of the example, from 0
   */
  public static long key(long seed, long epoch, int example) {
    return CounterRandom.bits(seed, CounterRandom.bits(PURPOSE, epoch, 0), example);
  }

  /** {@return whether no image is ever changed} */
  public boolean isNone() {
    return !flip && shift == 0;
  }

  /**
   * Changes, in place, the image of {@code spec} that starts at {@code image[offset]}; the key
   * alone decides how.
   *
   * @param image pixels, changed
   * @param offset index of the first float
   * @param spec what is wanted
   * @param key of the example
   * @see #key
   */
  public void apply(float[] image, int offset, ImageSpec spec, long key) {
    if (flip && CounterRandom.bits(key, 0, 0) < 0) {
      flip(image, offset, spec);
    }
    if (shift > 0) {
      int dy = CounterRandom.below(2 * shift + 1, key, 1, 0) - shift;
      int dx = CounterRandom.below(2 * shift + 1, key, 2, 0) - shift;
      shift(image, offset, spec, dy, dx);
    }
  }

  static void flip(float[] image, int offset, ImageSpec spec) {
    int width = spec.width();
    int rows = spec.channels() * spec.height();
    for (int row = 0; row < rows; row++) {
      int left = offset + row * width;
      int right = left + width - 1;
      while (left < right) {
        float v = image[left];
        image[left++] = image[right];
        image[right--] = v;
      }
    }
  }

  /** Moves the image down by dy rows and right by dx columns. */
  static void shift(float[] image, int offset, ImageSpec spec, int dy, int dx) {
    int height = spec.height();
    int width = spec.width();
    for (int c = 0; c < spec.channels(); c++) {
      int plane = offset + c * height * width;
      float black = spec.normalise(0, c);
      for (int k = 0; k < height; k++) {
        // from the far end when moving down, so that no row is overwritten before it has moved
        int y = dy > 0 ? height - 1 - k : k;
        int source = y - dy;
        int row = plane + y * width;
        if (source < 0 || source >= height || Math.abs(dx) >= width) {
          Arrays.fill(image, row, row + width, black);
        } else {
          shiftRow(image, plane + source * width, row, width, dx, black);
        }
      }
    }
  }

  private static void shiftRow(float[] image, int from, int to, int width, int dx, float black) {
    if (dx >= 0) {
      System.arraycopy(image, from, image, to + dx, width - dx);
      Arrays.fill(image, to, to + dx, black);
    } else {
      System.arraycopy(image, from - dx, image, to, width + dx);
      Arrays.fill(image, to + width + dx, to + width, black);
    }
  }
}
