package dev.sidefade.data;

/**
 * A decoded image: 8-bit grey levels, rows top down, channels interleaved.
 *
 * @param channels 1 (grey) or 3 (red, green, blue)
 * @param data height x width x channels bytes, unsigned; not to be changed
 */
record Pixels(int width, int height, int channels, byte[] data) {
  Pixels {
    if (data.length != Math.multiplyExact(Math.multiplyExact(width, height), channels)) {
      throw new IllegalArgumentException(
          data.length + " bytes for an image of " + height + "x" + width + "x" + channels);
    }
  }

  /**
   * The same image with 1 or 3 channels: luma by ITU-R 601 in fixed point, as PIL takes it, or grey
   * repeated.
   */
  Pixels withChannels(int wanted) {
    if (wanted == channels) {
      return this;
    }
    byte[] out = new byte[width * height * wanted];
    if (wanted == 1) {
      for (int i = 0; i < out.length; i++) {
        int r = data[3 * i] & 0xFF;
        int g = data[3 * i + 1] & 0xFF;
        int b = data[3 * i + 2] & 0xFF;
        out[i] = (byte) ((r * 19595 + g * 38470 + b * 7471 + 0x8000) >> 16);
      }
    } else {
      for (int i = 0; i < data.length; i++) {
        out[3 * i] = data[i];
        out[3 * i + 1] = data[i];
        out[3 * i + 2] = data[i];
      }
    }
    return new Pixels(width, height, wanted, out);
  }

  /** The image turned upright, given its EXIF orientation (1 to 8; 1 is upright already). */
  Pixels upright(int orientation) {
    if (orientation <= 1 || orientation > 8) {
      return this;
    }
    boolean transposed = orientation >= 5;
    int w = transposed ? height : width;
    int h = transposed ? width : height;
    // in the stored image, before rows and columns are exchanged
    boolean fromRight =
        orientation == 2 || orientation == 3 || orientation == 7 || orientation == 8;
    boolean fromBottom =
        orientation == 3 || orientation == 4 || orientation == 6 || orientation == 7;
    byte[] out = new byte[data.length];
    int to = 0;
    for (int y = 0; y < h; y++) {
      for (int x = 0; x < w; x++) {
        int column = transposed ? y : x;
        int row = transposed ? x : y;
        int sourceX = fromRight ? width - 1 - column : column;
        int sourceY = fromBottom ? height - 1 - row : row;
        int from = (sourceY * width + sourceX) * channels;
        for (int c = 0; c < channels; c++) {
          out[to++] = data[from + c];
        }
      }
    }
    return new Pixels(w, h, channels, out);
  }

  /**
   * Writes a prepared image, which has spec's size and channels, as normalised planes from {@code
   * out[offset]} on.
   */
  void normaliseInto(ImageSpec spec, float[] out, int offset) {
    if (width != spec.width() || height != spec.height() || channels != spec.channels()) {
      throw new IllegalArgumentException(
          "image of " + height + "x" + width + "x" + channels + " where " + spec + " is wanted");
    }
    int plane = width * height;
    float[] levels = new float[256];
    for (int c = 0; c < channels; c++) {
      for (int level = 0; level < 256; level++) {
        levels[level] = spec.normalise(level, c);
      }
      int to = offset + c * plane;
      for (int i = 0; i < plane; i++) {
        out[to + i] = levels[data[i * channels + c] & 0xFF];
      }
    }
  }
}
