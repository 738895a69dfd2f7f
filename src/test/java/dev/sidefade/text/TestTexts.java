package dev.sidefade.text;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.sidefade.tensor.BadInputException;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.function.Executable;

/** Files for the tests of this package. */
final class TestTexts {
  /**
   * A WordPiece tokenizer in the manner of BERT with 41 tokens: [PAD] 0, [UNK] 1, [CLS] 2, [SEP] 3,
   * a 5, the 6, good 7, bad 8, film 9, was 11, is 12, play 15, ##ing 16, un 19, ##like 20, ##ly 21,
   * in 35, berlin 34, john 37, smith 38.
   */
  static final byte[] TOKENIZER = resource("/text/tokenizer.json");

  private static final String SPECIAL = "\t\n\r\",\\{}[]0 -\0";

  private TestTexts() {}

  private static byte[] resource(String name) {
    try (InputStream in = TestTexts.class.getResourceAsStream(name)) {
      return in.readAllBytes();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  static TextTokenizer tokenizer(Path dir) throws IOException {
    return TextTokenizer.open(Files.write(dir.resolve("tokenizer.json"), TOKENIZER));
  }

  static TextTokenizer tokenizer(Path dir, String from, String to) throws IOException {
    String json = new String(TOKENIZER, StandardCharsets.UTF_8);
    assertTrue(json.contains(from), from);
    return TextTokenizer.open(
        Files.writeString(dir.resolve("changed.json"), json.replace(from, to)));
  }

  /** Asserts that the call is refused with one line that holds all the parts. */
  static void refused(Executable call, String... parts) {
    String message = assertThrows(BadInputException.class, call).getMessage();
    for (String part : parts) {
      assertTrue(message.contains(part), () -> "'" + message + "' does not say '" + part + "'");
    }
    assertFalse(message.contains("\n"), message);
  }

  /** A damaged copy: bytes changed, removed, doubled, or the end cut off. */
  static byte[] damaged(byte[] original, Random random) {
    byte[] bytes = original.clone();
    for (int k = random.nextInt(4); k >= 0; k--) {
      int at = random.nextInt(bytes.length);
      switch (random.nextInt(5)) {
        case 0 -> bytes[at] = (byte) random.nextInt(256);
        case 1 -> bytes[at] = (byte) SPECIAL.charAt(random.nextInt(SPECIAL.length()));
        case 2 -> bytes = Arrays.copyOf(bytes, Math.max(1, at));
        case 3 -> bytes = spliced(bytes, at, Math.min(bytes.length, at + 1 + random.nextInt(20)));
        default -> bytes[at] ^= (byte) (1 << random.nextInt(8));
      }
    }
    return bytes;
  }

  /** Without the bytes of a range, or with them twice. */
  private static byte[] spliced(byte[] bytes, int from, int to) {
    boolean twice = (from & 1) == 0;
    int second = twice ? from : to;
    byte[] out = Arrays.copyOf(bytes, (twice ? to : from) + bytes.length - second);
    System.arraycopy(bytes, second, out, twice ? to : from, bytes.length - second);
    return out.length == 0 ? new byte[1] : out;
  }
}
