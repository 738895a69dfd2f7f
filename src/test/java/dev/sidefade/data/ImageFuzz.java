package dev.sidefade.data;

import dev.sidefade.fuzz.FuzzTarget;
import dev.sidefade.fuzz.Mutator;
import dev.sidefade.tensor.BadInputException;
import java.awt.image.BufferedImage;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.List;
import java.util.random.RandomGenerator;
import javax.imageio.ImageIO;

/** PNG and JPEG files. */
public final class ImageFuzz implements FuzzTarget {
  private final ImageDecoder decoder = new ImageDecoder();
  private final Mutator mutator =
      new Mutator(
          List.of(encoded("png", 5, 4, 1), encoded("jpg", 9, 8, 2)),
          List.of("IHDR", "IDAT", "PLTE", "tRNS", "IEND", "Exif\0\0", "JFIF\0", "zTXt", "iCCP"));

  /** An image file; without assertions, for this class also runs where there is no JUnit. */
  static byte[] encoded(String format, int width, int height, long seed) {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try {
      ImageIO.write(
          TestImages.noise(width, height, BufferedImage.TYPE_INT_RGB, seed), format, bytes);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return bytes.toByteArray();
  }

  @Override
  public String name() {
    return "images";
  }

  /** A header may ask for as many pixels as are decoded at all, which take some bytes each. */
  @Override
  public long mostBytes() {
    return 9 * ImageDecoder.MAX_PIXELS;
  }

  @Override
  public byte[] mutant(RandomGenerator random) {
    return mutator.mutant(random);
  }

  @Override
  public void read(byte[] input) {
    try {
      Pixels pixels = decoder.decode("x", input);
      if (pixels.data().length != pixels.width() * pixels.height() * pixels.channels()) {
        throw new IllegalStateException("the pixels do not fill the image");
      }
    } catch (UnreadableImageException e) {
      // as good as refused: what is read from folders leaves such an image out
      throw new BadInputException(e.getMessage(), e);
    }
  }
}
