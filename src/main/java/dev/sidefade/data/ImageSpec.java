package dev.sidefade.data;

import dev.sidefade.tensor.BadInputException;
import java.util.Arrays;

/**
 * How an image becomes a model input: {@code channels x height x width} floats, {@code (x / 255 -
 * mean) / std} of every grey level x.
 *
 * @param channels 1 (grey) or 3 (red, green, blue)
 * @param height rows of the model input
 * @param width columns of the model input
 * @param mean one value, or one per channel
 * @param std one value, or one per channel; positive
 * @param resizing how an image of another size becomes one of this
 */
public record ImageSpec(
    int channels, int height, int width, float[] mean, float[] std, Resizing resizing) {
  private static final int MAX_SIDE = 8192;

  /**
   * Copies the arrays and checks every value.
   *
   * @throws BadInputException if a value is out of its range
   */
  public ImageSpec {
    if (channels != 1 && channels != 3) {
      throw new BadInputException(
          "pre-processing asks for "
              + channels
              + " channels, but images have 1 (grey) or 3 (colour)");
    }
    if (height < 1 || width < 1 || height > MAX_SIDE || width > MAX_SIDE) {
      throw new BadInputException(
          "pre-processing asks for images of "
              + height
              + "x"
              + width
              + ", but both sides must lie between 1 and "
              + MAX_SIDE);
    }
    mean = checked("mean", mean, channels);
    std = checked("std", std, channels);
    for (float s : std) {
      if (!(s > 0)) {
        throw new BadInputException(
            "pre-processing has a std of " + s + ", but it must be positive");
      }
    }
  }

  /** {@return number of floats of one image: channels x height x width} */
  public int size() {
    return Math.multiplyExact(Math.multiplyExact(channels, height), width);
  }

  /**
   * {@return mean of channel {@code c}, whether one value was given or one per channel}
   *
   * @param c from 0
   */
  public float meanOf(int c) {
    return mean.length == 1 ? mean[0] : mean[c];
  }

  /**
   * {@return standard deviation of channel {@code c}, whether one value was given or one per
   * channel}
   *
   * @param c from 0
   */
  public float stdOf(int c) {
    return std.length == 1 ? std[0] : std[c];
  }

  /**
   * {@return model input for a grey level of 0 to 255 in channel {@code c}}
   *
   * @param level from 0 to 255
   * @param c channel, from 0
   */
  public float normalise(int level, int c) {
    return (level / 255f - meanOf(c)) / stdOf(c);
  }

  /** {@return a copy of the means} */
  @Override
  public float[] mean() {
    return mean.clone();
  }

  /** {@return a copy of the standard deviations} */
  @Override
  public float[] std() {
    return std.clone();
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof ImageSpec s
        && channels == s.channels
        && height == s.height
        && width == s.width
        && resizing.equals(s.resizing)
        && Arrays.equals(mean, s.mean)
        && Arrays.equals(std, s.std);
  }

  @Override
  public int hashCode() {
    return Arrays.hashCode(
        new int[] {
          channels, height, width, resizing.hashCode(), Arrays.hashCode(mean), Arrays.hashCode(std)
        });
  }

  @Override
  public String toString() {
    return channels
        + "x"
        + height
        + "x"
        + width
        + ", mean "
        + Arrays.toString(mean)
        + ", std "
        + Arrays.toString(std)
        + ", "
        + resizing;
  }

  private static float[] checked(String what, float[] values, int channels) {
    if (values == null || (values.length != 1 && values.length != channels)) {
      throw new BadInputException(
          "pre-processing has "
              + (values == null ? 0 : values.length)
              + " values of "
              + what
              + ", but needs 1 or "
              + channels
              + ", as many as channels");
    }
    for (float v : values) {
      if (!Float.isFinite(v)) {
        throw new BadInputException(
            "pre-processing has a " + what + " of " + v + ", which is not a number");
      }
    }
    return values.clone();
  }
}
