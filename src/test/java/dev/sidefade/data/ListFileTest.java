package dev.sidefade.data;

import static dev.sidefade.data.TestImages.STRICT;
import static dev.sidefade.data.TestImages.classes;
import static dev.sidefade.data.TestImages.open;
import static dev.sidefade.data.TestImages.refused;
import static dev.sidefade.data.TestImages.write;
import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.sidefade.tensor.BadInputException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ListFileTest {
  @TempDir Path dir;

  private Path list;

  @BeforeEach
  void images() throws IOException {
    list = dir.resolve("lists/train.txt");
    write(dir.resolve("lists/images/a.png"), 1);
    write(dir.resolve("lists/images/b c.jpg"), 2);
    write(dir.resolve("elsewhere/d.jpg"), 3);
  }

  private ImageSource opened(String text) throws IOException {
    Files.writeString(list, text);
    return open(list);
  }

  @Test
  void readsPathsAndLabels() throws IOException {
    String text =
        "\uFEFF# a comment\r\n\r\nimages/a.png 2\r\n  images/b c.jpg\t0  \n../elsewhere/d.jpg\n"
            + dir.resolve("elsewhere/d.jpg")
            + " +1";
    try (ImageSource source = opened(text)) {
      assertArrayEquals(new int[] {2, 0, -1, 1}, source.labels());
      assertEquals(List.of("0", "1", "2"), source.classNames());
      assertTrue(source.name(1).endsWith("b c.jpg"));
    }
    try (ImageSource source = opened("images/a.png\nimages/b c.jpg\n")) {
      assertArrayEquals(new int[] {-1, -1}, source.labels());
      assertEquals(List.of(), source.classNames());
    }
    Files.writeString(list, "images/a.png 1");
    try (ImageSource source = open(list, classes("x", "y", "z"))) {
      assertEquals(List.of("x", "y", "z"), source.classNames());
    }
  }

  @Test
  void saysWhichLineIsWrong() throws IOException {
    refused(
        () -> opened("images/a.png 1\nimages/no.png 1"),
        "line 2 of list file",
        "no file",
        "no.png");
    refused(() -> opened("\n#\nimages/a.png -1"), "line 3", "label -1 is negative");
    refused(() -> opened("images/a.png 1.5"), "line 1", "'1.5' is not an integer");
    refused(() -> opened("images/a.png cat"), "line 1", "'cat' is not an integer");
    refused(() -> opened("images/a.png 100000"), "label 100000 is out of range, from 0 to 99999");
    refused(() -> opened("images/a.png 99999999999999999999"), "out of range");
    refused(() -> opened("images 0"), "line 1", "no file");
    refused(() -> opened("images/a.png 0\rimages/a.png 1"), "line 1", "control character");
    refused(() -> opened("images/a.png 0\n" + "x".repeat(9000)), "line 2", "longer than");
    refused(() -> opened(""), "names no image");
    refused(() -> opened("# nothing\n\n"), "names no image");
    Files.writeString(list, "images/a.png 3");
    refused(
        () -> open(list, classes("x", "y", "z")), "line 1", "label 3 is out of range, from 0 to 2");
    Files.write(list, "images/\u00e4.png 0".getBytes(ISO_8859_1));
    refused(() -> open(list), "line 1", "not UTF-8");
    refused(() -> open(dir.resolve("elsewhere/d.jpg")), "not UTF-8");
  }

  @Test
  void skipsOrRefusesWhatCannotBeRead() throws IOException {
    Files.writeString(dir.resolve("lists/bad.png"), "text");
    Files.writeString(list, "images/a.png 0\nbad.png 1\n");
    try (ImageSource source = open(list)) {
      assertArrayEquals(new int[] {0}, source.labels());
      assertEquals(List.of("0", "1"), source.classNames());
      assertEquals(1, source.skipped());
    }
    refused(() -> open(list, STRICT), "1 of 2 images", "bad.png");
  }

  @Test
  void everyTruncationIsReadOrRefused() {
    byte[] text = "\uFEFFa \u00e4.png 12\n# \u4e2d\n\tb.jpg\n c.png 3".getBytes(UTF_8);
    for (int n = 0; n <= text.length; n++) {
      parse(Arrays.copyOf(text, n));
    }
  }

  @Test
  void damagedListsFailInOneWayOnly() {
    Random random = new Random(3);
    byte[] good = "images/a.png 1\nb c.jpg 22\n# comment\n\nd.png\n/abs/e.jpeg 0\n".getBytes(UTF_8);
    byte[] alphabet = " \t\n\r#-+019.apng/\0\u00ff".getBytes(ISO_8859_1);
    int refused = 0;
    for (int round = 0; round < 20_000; round++) {
      byte[] bad = good.clone();
      for (int k = 0; k <= round % 6; k++) {
        int at = random.nextInt(bad.length);
        bad[at] =
            random.nextBoolean()
                ? alphabet[random.nextInt(alphabet.length)]
                : (byte) random.nextInt();
      }
      refused += parse(bad) ? 0 : 1;
    }
    assertTrue(refused > 3000 && refused < 19_000, "refused " + refused);
  }

  /** Whether the list is well-formed; what is read keeps the promises of an entry. */
  private static boolean parse(byte[] text) {
    try {
      List<ListFile.Entry> entries = ListFile.parse("x", text, 100);
      assertFalse(entries.isEmpty());
      int line = 0;
      for (ListFile.Entry e : entries) {
        assertTrue(e.line() > line);
        assertTrue(e.label() >= -1 && e.label() < 100);
        assertFalse(e.path().isBlank());
        line = e.line();
      }
      return true;
    } catch (BadInputException e) {
      assertTrue(e.getMessage().contains("list file x"), e.getMessage());
      return false;
    }
  }
}
