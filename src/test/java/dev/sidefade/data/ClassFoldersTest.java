package dev.sidefade.data;

import static dev.sidefade.data.TestImages.STRICT;
import static dev.sidefade.data.TestImages.classes;
import static dev.sidefade.data.TestImages.decode;
import static dev.sidefade.data.TestImages.open;
import static dev.sidefade.data.TestImages.refused;
import static dev.sidefade.data.TestImages.spec;
import static dev.sidefade.data.TestImages.write;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ClassFoldersTest {
  @TempDir Path dir;

  @Test
  void sortsClassesAndImages() throws IOException {
    write(dir.resolve("dog/b.PNG"), 1);
    write(dir.resolve("dog/a.jpeg"), 2);
    write(dir.resolve("cat/deep/er/z.jpg"), 3);
    write(dir.resolve("cat/deep/a.JPG"), 4);
    write(dir.resolve("cat/.hidden.png"), 5);
    write(dir.resolve(".cache/x.png"), 6);
    Files.writeString(dir.resolve("README.txt"), "not an image");
    Files.writeString(dir.resolve("dog/notes.txt"), "not an image");
    try (ImageSource source = open(dir)) {
      assertEquals(List.of("cat", "dog"), source.classNames());
      assertArrayEquals(new int[] {0, 0, 1, 1}, source.labels());
      assertEquals(4, source.size());
      assertEquals(dir.resolve("cat/deep/a.JPG").toString(), source.name(0));
      assertEquals(dir.resolve("cat/deep/er/z.jpg").toString(), source.name(1));
      assertEquals(dir.resolve("dog/a.jpeg").toString(), source.name(2));
      assertEquals(0, source.skipped());
      ImageSpec spec = spec(3, 7, 9);
      Pixels direct = new ImageDecoder().decode(dir.resolve("dog/b.PNG"));
      float[] expected = new float[spec.size()];
      direct.normaliseInto(spec, expected, 0);
      assertArrayEquals(expected, decode(source, 3, spec));
    }
  }

  @Test
  void decodesTheSameEveryTimeAndInEverySize() throws IOException {
    write(dir.resolve("a/1.png"), 1);
    ImageSpec small = spec(1, 3, 4);
    ImageSpec large = spec(3, 20, 11);
    try (ImageSource source = open(dir)) {
      float[] first = decode(source, 0, small);
      float[] other = decode(source, 0, large);
      assertArrayEquals(first, decode(source, 0, small));
      assertArrayEquals(other, decode(source, 0, large));
      float[] wide = new float[5 + small.size()];
      source.decode(0, small, wide, 5);
      assertEquals(first[0], wide[5]);
      assertEquals(0, wide[4]);
      ImageSpec shifted =
          new ImageSpec(1, 3, 4, new float[] {0.5f}, new float[] {0.25f}, Resizing.STRETCHED);
      assertEquals((first[3] - 0.5f) / 0.25f, decode(source, 0, shifted)[3], 1e-6f);
    }
  }

  @Test
  void aFolderOfImagesHasNoLabels() throws IOException {
    write(dir.resolve("b.png"), 1);
    write(dir.resolve("a.jpg"), 2);
    try (ImageSource source = open(dir)) {
      assertArrayEquals(new int[] {-1, -1}, source.labels());
      assertEquals(List.of(), source.classNames());
      assertTrue(source.name(0).endsWith("a.jpg"));
    }
  }

  @Test
  void takesTheClassesOfTraining() throws IOException {
    write(dir.resolve("dog/a.png"), 1);
    try (ImageSource source = open(dir, classes("zebra", "ant", "dog"))) {
      assertArrayEquals(new int[] {2}, source.labels());
      assertEquals(List.of("zebra", "ant", "dog"), source.classNames());
    }
    refused(() -> open(dir, classes("zebra", "ant")), "dog", "none of the 2 classes", "zebra, ant");
  }

  @Test
  void refusesWhatIsMissing() throws IOException {
    refused(() -> open(dir.resolve("nowhere")), "nowhere", "does not exist");
    refused(() -> ImageSources.open(" ", STRICT), "empty");
    refused(() -> ImageSources.open("a\0b", STRICT), "not a valid path");
    refused(() -> open(dir), dir.toString(), "neither class folders nor images");
    Files.createDirectory(dir.resolve("cat"));
    refused(() -> open(dir), "class cat", "no image");
    write(dir.resolve("cat/a.png"), 1);
    write(dir.resolve("b.png"), 1);
    refused(() -> open(dir), "both images (such as b.png) and class folders (such as cat)");
  }

  @Test
  void skipsOrRefusesWhatCannotBeRead() throws IOException {
    write(dir.resolve("cat/a.png"), 1);
    write(dir.resolve("dog/a.jpg"), 2);
    byte[] png = Files.readAllBytes(dir.resolve("cat/a.png"));
    Files.write(dir.resolve("cat/cut.png"), Arrays.copyOf(png, png.length / 2));
    Files.write(dir.resolve("dog/none.jpg"), new byte[0]);
    Files.writeString(dir.resolve("dog/text.jpg"), "this is text");
    Files.createSymbolicLink(dir.resolve("dog/gone.png"), dir.resolve("gone"));
    try (ImageSource source = open(dir)) {
      assertArrayEquals(new int[] {0, 1}, source.labels());
      assertEquals(4, source.skipped());
      String reasons = String.join("; ", source.skippedReasons());
      assertTrue(reasons.contains("cut.png: the PNG is truncated"), reasons);
      assertTrue(reasons.contains("none.jpg: the file has zero bytes"), reasons);
      assertTrue(reasons.contains("text.jpg: it is neither PNG nor JPEG"), reasons);
      assertTrue(reasons.contains("gone.png: there is no such file"), reasons);
    }
    refused(() -> open(dir, STRICT), "4 of 6 images", "cut.png");
    Files.delete(dir.resolve("cat/a.png"));
    refused(() -> open(dir), "class cat has no image that can be read", "cut.png");
    Files.delete(dir.resolve("dog/a.jpg"));
    refused(() -> open(dir), "4 of 4 images");
  }

  @Test
  void refusesLinksInACircle() throws IOException {
    write(dir.resolve("cat/a.png"), 1);
    Files.createSymbolicLink(dir.resolve("cat/loop"), dir.resolve("cat"));
    refused(() -> open(dir), "symbolic link", "loop");
  }

  @Test
  void saysSoIfAFileChangedForTheWorse() throws IOException {
    Path path = write(dir.resolve("cat/a.png"), 1);
    try (ImageSource source = open(dir)) {
      decode(source, 0, spec(1, 4, 4)); // kept in this size, no longer in full
      Files.delete(path);
      decode(source, 0, spec(1, 4, 4));
      UnreadableImageException e =
          assertThrows(UnreadableImageException.class, () -> decode(source, 0, spec(1, 5, 5)));
      assertTrue(e.getMessage().contains("a.png"), e.getMessage());
      assertEquals("there is no such file", e.reason());
    }
  }
}
