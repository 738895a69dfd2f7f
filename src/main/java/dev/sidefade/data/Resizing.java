package dev.sidefade.data;

import dev.sidefade.tensor.BadInputException;

/**
 * How an image gets the size of a model input: it is resized to a box of (height, width) / crop,
 * whose centre is cut out.
 *
 * @param interpolation how grey levels between pixels are found
 * @param keepsAspect true: the image keeps its aspect ratio and covers the box; false: it is
 *     stretched to the box
 * @param crop in (0, 1]
 */
public record Resizing(Interpolation interpolation, boolean keepsAspect, double crop) {
  /** Stretched to the input, bilinear, nothing cut off. */
  public static final Resizing STRETCHED = new Resizing(Interpolation.BILINEAR, false, 1);

  /** How grey levels between pixels are found. When shrinking, all pixels count. */
  public enum Interpolation {
    /** Linear between two pixels in each direction. */
    BILINEAR,
    /** Cubic convolution over four pixels in each direction, with a = -0.5 (Keys, 1981). */
    BICUBIC
  }

  /**
   * Checks the crop.
   *
   * @throws BadInputException if it is not in (0, 1]
   */
  public Resizing {
    if (!(crop > 0 && crop <= 1)) {
      throw new BadInputException(
          "pre-processing has a crop fraction of " + crop + ", but it must be in (0, 1]");
    }
  }
}
