package dev.sidefade.backbone;

import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import dev.sidefade.tensor.BadInputException;
import java.util.Arrays;
import java.util.Locale;

/**
 * How an image becomes the input of a backbone: resized, cropped at the centre, scaled to 0..1,
 * then {@code (x - mean) / std} per channel, laid out as channels x height x width.
 *
 * @param channels 1 (grey) or 3 (red, green, blue), or whatever the model takes
 * @param height rows of the model's input
 * @param width columns of the model's input
 * @param mean one value for each channel, on the scale 0..1
 * @param std one value for each channel, positive
 * @param resize how pixels are interpolated
 * @param keepsAspect true: resized with its own aspect ratio until it covers (height, width) /
 *     crop; false: stretched to that
 * @param crop in (0, 1]: the share of each side that is cut out of the centre
 */
public record Preprocessing(
    int channels,
    int height,
    int width,
    float[] mean,
    float[] std,
    Resize resize,
    boolean keepsAspect,
    double crop) {

  /** Values of {@code aspect} in JSON. */
  static final String KEEP = "keep";

  /** See {@link #KEEP}. */
  static final String STRETCH = "stretch";

  /** How pixels are interpolated; when shrinking, all pixels count. */
  public enum Resize {
    /** Linear between the two nearest pixels in each direction. */
    BILINEAR,
    /** Cubic convolution over the four nearest pixels in each direction. */
    BICUBIC
  }

  /**
   * Copies the arrays; a single mean or std stands for all channels.
   *
   * @throws BadInputException if a size is below 1, a length does not fit, a std is not positive or
   *     crop not in (0, 1]
   */
  public Preprocessing {
    if (channels < 1 || height < 1 || width < 1) {
      throw new BadInputException(
          "pre-processing needs at least one channel, row and column, but got "
              + channels
              + "x"
              + height
              + "x"
              + width);
    }
    mean = perChannel("mean", mean, channels);
    std = perChannel("std", std, channels);
    for (float s : std) {
      if (s <= 0) {
        throw new BadInputException("pre-processing has std " + s + ", but it must be positive");
      }
    }
    if (!(crop > 0 && crop <= 1)) {
      throw new BadInputException("pre-processing has crop " + crop + ", but it must be in (0, 1]");
    }
  }

  /**
   * {@return mean and std 0.5 in every channel, no crop: what applies where nothing is said}
   *
   * @param channels of an image
   * @param height rows of an image
   * @param width columns of an image
   */
  public static Preprocessing standard(int channels, int height, int width) {
    float[] half = {0.5f};
    return new Preprocessing(channels, height, width, half, half, Resize.BILINEAR, false, 1);
  }

  /** {@return a copy of the means, one for each channel} */
  @Override
  public float[] mean() {
    return mean.clone();
  }

  /** {@return a copy of the standard deviations, one for each channel} */
  @Override
  public float[] std() {
    return std.clone();
  }

  /** {@return one line of JSON that {@link #fromJson} reads} */
  public String toJson() {
    JsonObject json = new JsonObject();
    json.addProperty("channels", channels);
    json.add("size", array(height, width));
    json.add("mean", array(mean));
    json.add("std", array(std));
    json.addProperty("resize", resize.name().toLowerCase(Locale.ROOT));
    json.addProperty("aspect", keepsAspect ? KEEP : STRETCH);
    json.addProperty("crop", crop);
    return json.toString();
  }

  /**
   * Reads what {@link #toJson} wrote.
   *
   * @param source what to call the text in complaints: a file or a property
   * @param json text of the object
   * @return the settings
   * @throws BadInputException if the text is not JSON, or a key is missing or has a wrong value;
   *     the message names it
   */
  public static Preprocessing fromJson(String source, String json) {
    return PreprocessingReader.fromFields(JsonFields.parse(source, json), -1, -1, -1);
  }

  private static float[] perChannel(String what, float[] values, int channels) {
    if (values.length != channels && values.length != 1) {
      throw new BadInputException(
          "pre-processing has "
              + values.length
              + " values of "
              + what
              + ", but the model has "
              + channels
              + " channels; give one value, or one for each channel");
    }
    float[] all = Arrays.copyOf(values, channels);
    if (values.length == 1) {
      Arrays.fill(all, values[0]);
    }
    for (float value : all) {
      if (!Float.isFinite(value)) {
        throw new BadInputException("pre-processing has " + what + " " + value + ", not a number");
      }
    }
    return all;
  }

  private static JsonArray array(float... values) {
    JsonArray array = new JsonArray();
    for (float value : values) {
      array.add(value);
    }
    return array;
  }

  private static JsonArray array(int... values) {
    JsonArray array = new JsonArray();
    for (int value : values) {
      array.add(value);
    }
    return array;
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof Preprocessing p
        && channels == p.channels
        && height == p.height
        && width == p.width
        && Arrays.equals(mean, p.mean)
        && Arrays.equals(std, p.std)
        && resize == p.resize
        && keepsAspect == p.keepsAspect
        && Double.compare(crop, p.crop) == 0;
  }

  @Override
  public int hashCode() {
    int sizes = Arrays.hashCode(new int[] {channels, height, width});
    return 31 * (31 * (31 * sizes + Arrays.hashCode(mean)) + Arrays.hashCode(std))
        + Double.hashCode(crop);
  }

  @Override
  public String toString() {
    return toJson();
  }
}
