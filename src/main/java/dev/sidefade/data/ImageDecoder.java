package dev.sidefade.data;

import java.awt.image.BufferedImage;
import java.awt.image.ComponentColorModel;
import java.awt.image.DataBuffer;
import java.awt.image.DataBufferByte;
import java.awt.image.PixelInterleavedSampleModel;
import java.awt.image.Raster;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Iterator;
import java.util.concurrent.Semaphore;
import javax.imageio.ImageIO;
import javax.imageio.ImageReader;
import javax.imageio.stream.ImageInputStream;
import javax.imageio.stream.MemoryCacheImageInputStream;

/**
 * PNG and JPEG files to {@link Pixels}. Grey levels are taken as stored: no colour profile or gamma
 * is applied, an alpha channel is dropped, of 16-bit levels the upper eight are kept, a palette is
 * looked up: what PIL's {@code convert} does. The EXIF orientation of a JPEG is obeyed.
 */
final class ImageDecoder {
  /**
   * Largest number of pixels of an image: less on a small heap, since decoding needs some seven
   * bytes for each.
   */
  static final long MAX_PIXELS = Math.min(100_000_000L, Runtime.getRuntime().maxMemory() / 12);

  static final int MAX_SIDE = 65_535;
  private static final long MAX_FILE_BYTES = 256L << 20;

  // pixels that are being decoded: however many threads there are, together they stay within the
  // largest image
  private final Semaphore memory = new Semaphore((int) MAX_PIXELS, true);

  /**
   * Decodes a file.
   *
   * @throws UnreadableImageException with the reason, whatever is wrong with the file
   */
  Pixels decode(Path path) {
    String name = path.toString();
    try {
      if (!Files.isRegularFile(path)) {
        throw new UnreadableImageException(name, "there is no such file");
      }
      long size = Files.size(path);
      if (size > MAX_FILE_BYTES) {
        throw new UnreadableImageException(
            name, "it has " + size + " bytes, and more than " + MAX_FILE_BYTES + " are not read");
      }
      return decode(name, Files.readAllBytes(path));
    } catch (IOException e) {
      throw new UnreadableImageException(name, String.valueOf(e));
    }
  }

  /** Decodes the bytes of a file. */
  Pixels decode(String name, byte[] file) {
    ImageHeader header;
    try {
      header = ImageHeader.parse(file);
    } catch (ImageHeader.Malformed e) {
      throw new UnreadableImageException(name, String.valueOf(e.getMessage()));
    }
    if ((long) header.width() * header.height() > MAX_PIXELS
        || header.width() > MAX_SIDE
        || header.height() > MAX_SIDE) {
      throw new UnreadableImageException(
          name,
          "it has "
              + header.width()
              + "x"
              + header.height()
              + " pixels, and at most "
              + MAX_PIXELS
              + " with no side over "
              + MAX_SIDE
              + " are decoded");
    }
    if (header.components() == 4) {
      throw new UnreadableImageException(name, "it is a CMYK JPEG: convert it to RGB");
    }
    int size = header.width() * header.height();
    memory.acquireUninterruptibly(size);
    try {
      return pixels(image(header, file)).upright(header.orientation());
    } catch (IOException | RuntimeException e) {
      // decoders report corrupt data by exceptions of many kinds
      String detail = e.getMessage() == null ? e.getClass().getSimpleName() : e.getMessage();
      throw new UnreadableImageException(
          name, "the " + header.format() + " decoder says: " + detail);
    } finally {
      memory.release(size);
    }
  }

  private static BufferedImage image(ImageHeader header, byte[] file) throws IOException {
    Iterator<ImageReader> readers = ImageIO.getImageReadersByFormatName(header.format());
    if (!readers.hasNext()) {
      throw new IOException("this Java runtime has no decoder for it");
    }
    ImageReader reader = readers.next();
    // over the bytes at hand, so that ImageIO makes no temporary file
    try (ImageInputStream in = new MemoryCacheImageInputStream(new ByteArrayInputStream(file))) {
      reader.setInput(in, true, true);
      if (reader.getWidth(0) != header.width() || reader.getHeight(0) != header.height()) {
        throw new IOException("its headers contradict each other");
      }
      return reader.read(0);
    } finally {
      reader.dispose();
    }
  }

  private static Pixels pixels(BufferedImage image) throws IOException {
    Raster raster = image.getRaster();
    // a component model's samples are the stored ones; getRGB would convert greys and profiles
    if (!(image.getColorModel() instanceof ComponentColorModel)) {
      return converted(image);
    }
    int channels = raster.getNumBands() <= 2 ? 1 : 3;
    if (raster.getDataBuffer() instanceof DataBufferByte buffer
        && raster.getSampleModel() instanceof PixelInterleavedSampleModel) {
      return interleaved(raster, buffer, channels);
    }
    int drop =
        switch (raster.getTransferType()) {
          case DataBuffer.TYPE_BYTE -> 0;
          case DataBuffer.TYPE_USHORT -> 8;
          default -> throw new IOException("its samples are neither of 8 nor of 16 bits");
        };
    int width = raster.getWidth();
    int bands = raster.getNumBands();
    byte[] out = new byte[width * raster.getHeight() * channels];
    int[] row = new int[width * bands];
    int to = 0;
    for (int y = 0; y < raster.getHeight(); y++) {
      raster.getPixels(0, y, width, 1, row);
      for (int x = 0; x < width; x++) {
        for (int c = 0; c < channels; c++) {
          out[to++] = (byte) (row[x * bands + c] >> drop);
        }
      }
    }
    return new Pixels(width, raster.getHeight(), channels, out);
  }

  /** The common case, without a detour through ints. */
  private static Pixels interleaved(Raster raster, DataBufferByte buffer, int channels) {
    PixelInterleavedSampleModel model = (PixelInterleavedSampleModel) raster.getSampleModel();
    byte[] data = buffer.getData();
    int[] band = model.getBandOffsets();
    int width = raster.getWidth();
    byte[] out = new byte[width * raster.getHeight() * channels];
    int to = 0;
    for (int y = 0; y < raster.getHeight(); y++) {
      int from =
          buffer.getOffset()
              + (y - raster.getSampleModelTranslateY()) * model.getScanlineStride()
              - raster.getSampleModelTranslateX() * model.getPixelStride();
      for (int x = 0; x < width; x++, from += model.getPixelStride()) {
        for (int c = 0; c < channels; c++) {
          out[to++] = data[from + band[c]];
        }
      }
    }
    return new Pixels(width, raster.getHeight(), channels, out);
  }

  /** Palettes and packed pixels, which are sRGB. */
  private static Pixels converted(BufferedImage image) {
    int width = image.getWidth();
    byte[] out = new byte[width * image.getHeight() * 3];
    int[] row = new int[width];
    int to = 0;
    for (int y = 0; y < image.getHeight(); y++) {
      image.getRGB(0, y, width, 1, row, 0, width);
      for (int rgb : row) {
        out[to++] = (byte) (rgb >> 16);
        out[to++] = (byte) (rgb >> 8);
        out[to++] = (byte) rgb;
      }
    }
    return new Pixels(width, image.getHeight(), 3, out);
  }
}
