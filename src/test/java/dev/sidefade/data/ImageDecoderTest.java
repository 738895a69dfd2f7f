package dev.sidefade.data;

import static dev.sidefade.data.TestImages.encoded;
import static dev.sidefade.data.TestImages.noise;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.sidefade.fuzz.Mutator;
import java.awt.image.BufferedImage;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.zip.CRC32;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ImageDecoderTest {
  @TempDir Path dir;

  private final ImageDecoder decoder = new ImageDecoder();

  private String reason(byte[] file) {
    return assertThrows(UnreadableImageException.class, () -> decoder.decode("x", file)).reason();
  }

  @Test
  void everyKindOfPngGivesTheStoredLevels() throws IOException {
    int[] types = {
      BufferedImage.TYPE_INT_RGB,
      BufferedImage.TYPE_INT_ARGB,
      BufferedImage.TYPE_3BYTE_BGR,
      BufferedImage.TYPE_4BYTE_ABGR,
      BufferedImage.TYPE_BYTE_INDEXED,
      BufferedImage.TYPE_BYTE_BINARY,
      BufferedImage.TYPE_USHORT_565_RGB
    };
    for (int type : types) {
      BufferedImage image = noise(13, 5, type, type);
      ByteArrayOutputStream out = new ByteArrayOutputStream();
      assertTrue(ImageIO.write(image, "png", out));
      Pixels p = decoder.decode("type " + type, out.toByteArray()).withChannels(3);
      for (int i = 0; i < 13 * 5; i++) {
        int rgb = image.getRGB(i % 13, i / 13);
        byte[] expected = {(byte) (rgb >> 16), (byte) (rgb >> 8), (byte) rgb};
        assertArrayEquals(expected, Arrays.copyOfRange(p.data(), 3 * i, 3 * i + 3), "type " + type);
      }
    }
  }

  @Test
  void greysAreNotGammaConverted() throws IOException {
    BufferedImage deep = new BufferedImage(256, 1, BufferedImage.TYPE_USHORT_GRAY);
    BufferedImage grey = new BufferedImage(256, 1, BufferedImage.TYPE_BYTE_GRAY);
    for (int x = 0; x < 256; x++) {
      deep.getRaster().setSample(x, 0, 0, x << 8 | (255 - x));
      grey.getRaster().setSample(x, 0, 0, x);
    }
    for (BufferedImage image : new BufferedImage[] {deep, grey}) {
      ByteArrayOutputStream out = new ByteArrayOutputStream();
      assertTrue(ImageIO.write(image, "png", out));
      Pixels p = decoder.decode("grey", out.toByteArray());
      assertEquals(1, p.channels());
      for (int x = 0; x < 256; x++) {
        assertEquals((byte) x, p.data()[x]);
      }
    }
  }

  @Test
  void refusesEveryTruncation() {
    for (String format : new String[] {"png", "jpeg"}) {
      byte[] file = encoded(format, 12, 11, 3);
      assertEquals(12, decoder.decode("whole", file).width());
      for (int n = 0; n < file.length; n++) {
        byte[] cut = Arrays.copyOf(file, n);
        String reason = reason(cut);
        assertTrue(
            reason.contains("truncated")
                || reason.contains("zero bytes")
                || reason.contains("neither"),
            format + " of " + n + " bytes: " + reason);
      }
    }
  }

  @Test
  void refusesZeroesAtTheEnd() {
    for (String format : new String[] {"png", "jpeg"}) {
      byte[] file = encoded(format, 12, 11, 3);
      Arrays.fill(file, file.length / 2, file.length, (byte) 0);
      reason(file);
    }
  }

  @Test
  void corruptFilesFailInOneWayOnly() {
    Random random = new Random(5);
    for (String format : new String[] {"png", "jpeg"}) {
      Mutator mutator = new Mutator(List.of(encoded(format, 12, 11, 3)), List.of());
      int refused = 0;
      for (int round = 0; round < 1500; round++) {
        byte[] bad = mutator.mutant(random);
        try {
          Pixels p = decoder.decode("x", bad);
          assertEquals(p.width() * p.height() * p.channels(), p.data().length);
        } catch (UnreadableImageException e) {
          refused++;
        }
      }
      assertTrue(refused > 100, format + ": " + refused);
    }
  }

  @Test
  void refusesBombsByTheirHeader() {
    byte[] png = encoded("png", 4, 4, 1);
    ByteBuffer b = ByteBuffer.wrap(png);
    b.putInt(16, 20_000).putInt(20, 20_000);
    CRC32 crc = new CRC32();
    crc.update(png, 12, 17);
    b.putInt(29, (int) crc.getValue());
    assertTrue(reason(png).contains("20000x20000"), reason(png));
    b.putInt(16, Integer.MAX_VALUE).putInt(20, 1);
    crc.reset();
    crc.update(png, 12, 17);
    b.putInt(29, (int) crc.getValue());
    assertTrue(reason(png).contains("2147483647x1"), reason(png));
    byte[] jpeg = encoded("jpeg", 8, 8, 1);
    int frame = frameOf(jpeg);
    ByteBuffer.wrap(jpeg).putShort(frame + 5, (short) 60_000).putShort(frame + 7, (short) 60_000);
    assertTrue(reason(jpeg).contains("60000x60000"), reason(jpeg));
  }

  @Test
  void refusesCmyk() {
    byte[] jpeg = encoded("jpeg", 8, 8, 1);
    jpeg[frameOf(jpeg) + 9] = 4;
    assertTrue(reason(jpeg).contains("CMYK"), reason(jpeg));
  }

  @Test
  void refusesPngWithABadChecksum() {
    byte[] png = encoded("png", 8, 8, 1);
    png[60] ^= 1;
    assertTrue(reason(png).contains("checksum"), reason(png));
  }

  @Test
  void refusesWhatIsNoFile() throws IOException {
    assertThrows(UnreadableImageException.class, () -> decoder.decode(dir));
    Path path = Files.write(dir.resolve("a"), encoded("png", 3, 2, 1));
    assertEquals(3, decoder.decode(path).width());
  }

  @Test
  void memoryPermitsAreGivenBack() {
    // a sound signature and header, and a frame no decoder takes: 1024 x 1024 permits each time
    byte[] bad = encoded("jpeg", 8, 8, 1);
    int frame = frameOf(bad);
    ByteBuffer.wrap(bad).putShort(frame + 5, (short) 1024).putShort(frame + 7, (short) 1024);
    bad[frame + 11] = 0; // a sampling factor of zero
    for (int i = 0; i <= ImageDecoder.MAX_PIXELS >> 20; i++) {
      assertTrue(reason(bad).contains("decoder says"), reason(bad));
    }
  }

  @Test
  void oddExifIsNoReasonToFail() {
    Random random = new Random(2);
    for (int round = 0; round < 5000; round++) {
      byte[] segment = new byte[random.nextInt(60)];
      random.nextBytes(segment);
      byte[] start =
          "Exif\0\0II*\0\u0008\0\0\0\u0001\0\u0012\u0001\u0003\0\u0001\0\0\0"
              .getBytes(StandardCharsets.ISO_8859_1);
      System.arraycopy(
          start, 0, segment, 0, Math.min(segment.length, random.nextInt(start.length + 1)));
      int orientation = Exif.orientation(ByteBuffer.wrap(segment), 1);
      assertTrue(orientation >= 1 && orientation <= 8);
    }
  }

  /** Position of the frame header's marker. */
  private static int frameOf(byte[] jpeg) {
    for (int i = 0; i < jpeg.length - 1; i++) {
      if ((jpeg[i] & 0xFF) == 0xFF && (jpeg[i + 1] & 0xFF) == 0xC0) {
        return i;
      }
    }
    throw new AssertionError("no baseline frame");
  }
}
