package dev.sidefade.data;

import static dev.sidefade.data.TestImages.bytes;
import static dev.sidefade.data.TestImages.classes;
import static dev.sidefade.data.TestImages.decode;
import static dev.sidefade.data.TestImages.gzip;
import static dev.sidefade.data.TestImages.idx;
import static dev.sidefade.data.TestImages.open;
import static dev.sidefade.data.TestImages.refused;
import static dev.sidefade.data.TestImages.spec;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.sidefade.fuzz.Mutator;
import dev.sidefade.tensor.BadInputException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class IdxSourceTest {
  @TempDir Path dir;

  private Path file(String name, byte[] content) throws IOException {
    return Files.write(dir.resolve(name), content);
  }

  @Test
  void findsTheLabelsBesideTheImages() throws IOException {
    byte[] pixels = bytes(5 * 3 * 4, 1);
    byte[] labels = idx(new byte[] {2, 0, 1, 2, 4}, 5);
    file("a-labels-idx1-ubyte", labels);
    file("b-labels-idx1-ubyte.gz", gzip(labels));
    file("c-labels-idx1-ubyte", labels);
    file("d.labels.idx1-ubyte", labels);
    for (Path images :
        List.of(
            file("a-images-idx3-ubyte", idx(pixels, 5, 3, 4)),
            file("b-images-idx3-ubyte.gz", gzip(idx(pixels, 5, 3, 4))),
            file("c-images-idx3-ubyte.gz", gzip(idx(pixels, 5, 3, 4))),
            file("d.images.idx3-ubyte", idx(pixels, 5, 3, 4)))) {
      try (ImageSource source = open(images)) {
        assertArrayEquals(new int[] {2, 0, 1, 2, 4}, source.labels(), images.toString());
        assertEquals(List.of("0", "1", "2", "3", "4"), source.classNames());
        assertEquals(images + "#3", source.name(3));
        float[] image = decode(source, 3, spec(1, 3, 4));
        for (int i = 0; i < 12; i++) {
          assertEquals((pixels[36 + i] & 0xFF) / 255f, image[i]);
        }
        assertThrows(IndexOutOfBoundsException.class, () -> decode(source, 5, spec(1, 3, 4)));
        assertThrows(IndexOutOfBoundsException.class, () -> source.label(-1));
      }
    }
  }

  @Test
  void labelsMayBeMissingOrNamed() throws IOException {
    Path images = file("digits, new.idx", idx(bytes(2 * 2 * 2, 1), 2, 2, 2));
    Path labels = file("other", idx(new byte[] {1, 0}, 2));
    try (ImageSource source = open(images)) {
      assertArrayEquals(new int[] {-1, -1}, source.labels());
      assertEquals(List.of(), source.classNames());
    }
    try (ImageSource source = ImageSources.open(images + "," + labels, classes("a", "b"))) {
      assertArrayEquals(new int[] {1, 0}, source.labels());
      assertEquals(List.of("a", "b"), source.classNames());
    }
    refused(
        () -> ImageSources.open(images + "," + dir.resolve("gone"), classes("a")),
        "gone",
        "does not exist");
    refused(() -> ImageSources.open(images + "," + dir, classes("a")), "not a file");
  }

  @Test
  void readsColour() throws IOException {
    byte[] pixels = bytes(2 * 3 * 4 * 3, 1);
    try (ImageSource source = open(file("images-idx4-ubyte", idx(pixels, 2, 3, 4, 3)))) {
      float[] image = decode(source, 1, spec(3, 3, 4));
      for (int c = 0; c < 3; c++) {
        for (int i = 0; i < 12; i++) {
          assertEquals((pixels[36 + 3 * i + c] & 0xFF) / 255f, image[12 * c + i]);
        }
      }
    }
    refused(
        () -> open(file("images-idx4-ubyte", idx(new byte[24], 2, 3, 2, 2))),
        "last dimension of 2",
        "1 or 3");
  }

  @Test
  void refusesWhatDoesNotFit() throws IOException {
    byte[] good = idx(bytes(8, 1), 2, 2, 2);
    Path images = file("x-images-idx3-ubyte", good);
    Path labels = file("x-labels-idx1-ubyte", idx(new byte[] {0, 3}, 2));
    refused(() -> open(images, classes("a", "b", "c")), "label 1 of", "is 3", "expected 0 to 2");
    Files.write(labels, idx(new byte[] {0, 3, 1}, 3));
    refused(() -> open(images), "3 labels for 2 images");
    Files.write(labels, good);
    refused(() -> open(images), "begins with 00000803", "00000801");
    Files.delete(labels);
    Files.write(images, idx(new byte[3], 3));
    refused(() -> open(images), "begins with 00000801", "00000803 or 00000804");
    Files.write(images, Arrays.copyOf(good, 20));
    refused(() -> open(images), "only 20 bytes", "asks for 24", "truncated");
    Files.write(images, Arrays.copyOf(good, 25));
    refused(() -> open(images), "25 or more bytes", "asks for 24", "too many");
    Files.write(images, gzip(Arrays.copyOf(good, 40)));
    refused(() -> open(images), "asks for 24", "too many");
    Files.write(images, gzip(Arrays.copyOf(good, 23)));
    refused(() -> open(images), "only 23 bytes", "asks for 24");
    Files.write(images, new byte[0]);
    refused(() -> open(images), "only 0 bytes");
    Files.write(images, idx(new byte[0], 0, 2, 2));
    refused(() -> open(images), "0x2x2", "positive");
    Files.write(images, idx(new byte[0], -1, 2, 2));
    refused(() -> open(images), "4294967295x2x2");
    Files.write(images, idx(new byte[0], 1 << 30, 1 << 30, 1 << 30));
    refused(() -> open(images), "positive");
    Files.write(images, idx(new byte[0], 1 << 30, 1 << 30, 4));
    refused(() -> open(images), "asks for");
    Files.write(images, gzip(idx(new byte[0], 1 << 30, 1 << 30, 4)));
    refused(() -> open(images), "bytes of gzip cannot hold");
    Files.write(images, idx(new byte[70_000], 1, 1, 70_000));
    refused(() -> open(images), "1x70000");
  }

  @Test
  void everyTruncationIsRefused() throws IOException {
    byte[] plain = idx(bytes(27, 1), 3, 3, 3);
    for (byte[] whole : new byte[][] {plain, gzip(plain)}) {
      Path path = file("t-images-idx3-ubyte", whole);
      open(path).close();
      for (int n = 0; n < whole.length; n++) {
        Files.write(path, Arrays.copyOf(whole, n));
        refused(() -> open(path), path.toString());
      }
    }
  }

  @Test
  void damagedFilesFailInOneWayOnly() throws IOException {
    Random random = new Random(7);
    byte[] plain = idx(bytes(27, 1), 3, 3, 3);
    Mutator ofPlain = new Mutator(List.of(plain), List.of());
    Mutator ofPacked = new Mutator(List.of(gzip(plain)), List.of());
    int refused = 0;
    for (int round = 0; round < 10_000; round++) {
      byte[] bad = (round % 2 == 0 ? ofPlain : ofPacked).mutant(random);
      Path path = file("f-images-idx3-ubyte", bad);
      try (ImageSource source = open(path)) {
        for (int i = 0; i < source.size(); i++) {
          decode(source, i, spec(3, 4, 4));
        }
      } catch (BadInputException e) {
        refused++;
        assertTrue(e.getMessage().contains(path.toString()), e.getMessage());
      }
    }
    assertTrue(refused > 2000, "refused " + refused);
  }
}
