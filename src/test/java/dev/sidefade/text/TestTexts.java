package dev.sidefade.text;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.sidefade.fuzz.Mutator;
import dev.sidefade.tensor.BadInputException;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.function.Executable;

/** Files for the tests of this package. */
final class TestTexts {
  /**
   * A WordPiece tokenizer in the manner of BERT with 41 tokens: [PAD] 0, [UNK] 1, [CLS] 2, [SEP] 3,
   * a 5, the 6, good 7, bad 8, film 9, was 11, is 12, play 15, ##ing 16, un 19, ##like 20, ##ly 21,
   * in 35, berlin 34, john 37, smith 38.
   */
  static final byte[] TOKENIZER = resource("/text/tokenizer.json");

  private static final List<String> SPECIAL =
      List.of("\t", "\n", "\r", "\"", ",", "\\", "{", "}", "[", "]", "0", " ", "-", "\0");

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

  /** Damages a file; the words are what separates and encloses. */
  static Mutator mutator(byte[] original) {
    return new Mutator(List.of(original), SPECIAL);
  }
}
