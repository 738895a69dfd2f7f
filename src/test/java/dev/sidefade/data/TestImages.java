package dev.sidefade.data;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.sidefade.tensor.BadInputException;
import java.awt.image.BufferedImage;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Random;
import java.util.zip.GZIPOutputStream;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.function.Executable;

/** Files of images for the tests of this package. */
final class TestImages {
  static final ImageSources.Options STRICT = new ImageSources.Options(true, Optional.empty());

  private TestImages() {}

  static ImageSources.Options classes(String... names) {
    return new ImageSources.Options(false, Optional.of(List.of(names)));
  }

  static ImageSpec spec(int channels, int height, int width) {
    return new ImageSpec(
        channels, height, width, new float[] {0}, new float[] {1}, Resizing.STRETCHED);
  }

  static BufferedImage noise(int width, int height, int type, long seed) {
    Random random = new Random(seed);
    BufferedImage image = new BufferedImage(width, height, type);
    for (int y = 0; y < height; y++) {
      for (int x = 0; x < width; x++) {
        image.setRGB(x, y, 0xFF000000 | random.nextInt());
      }
    }
    return image;
  }

  /** A file "png" or "jpeg" of random pixels. */
  static byte[] encoded(String format, int width, int height, long seed) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    try {
      assertTrue(
          ImageIO.write(noise(width, height, BufferedImage.TYPE_INT_RGB, seed), format, out));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return out.toByteArray();
  }

  /**
   * Writes an image of random pixels, in the format of the name's extension, with folders as
   * needed.
   */
  static Path write(Path path, long seed) throws IOException {
    Files.createDirectories(path.getParent());
    String format = path.toString().toLowerCase(Locale.ROOT).endsWith("png") ? "png" : "jpeg";
    return Files.write(path, encoded(format, 9, 7, seed));
  }

  /** An IDX file of bytes with the magic number of its rank. */
  static byte[] idx(byte[] data, int... dims) {
    ByteBuffer b = ByteBuffer.allocate(4 + 4 * dims.length + data.length);
    b.putInt(0x0800 | dims.length);
    for (int d : dims) {
      b.putInt(d);
    }
    return b.put(data).array();
  }

  static byte[] bytes(int n, long seed) {
    byte[] b = new byte[n];
    new Random(seed).nextBytes(b);
    return b;
  }

  static byte[] gzip(byte[] data) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    try (GZIPOutputStream gz = new GZIPOutputStream(out)) {
      gz.write(data);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return out.toByteArray();
  }

  /** Asserts that the call is refused with one line that holds all the parts. */
  static void refused(Executable call, String... parts) {
    String message = assertThrows(BadInputException.class, call).getMessage();
    for (String part : parts) {
      assertTrue(message.contains(part), () -> "'" + message + "' does not say '" + part + "'");
    }
    assertFalse(message.contains("\n"), message);
  }

  static ImageSource open(Path path) throws IOException {
    return ImageSources.open(path.toString(), ImageSources.Options.DEFAULT);
  }

  static ImageSource open(Path path, ImageSources.Options options) throws IOException {
    return ImageSources.open(path.toString(), options);
  }

  static float[] decode(ImageSource source, int i, ImageSpec spec) {
    float[] out = new float[spec.size()];
    source.decode(i, spec, out, 0);
    return out;
  }
}
