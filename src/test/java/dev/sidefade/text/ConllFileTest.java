package dev.sidefade.text;

import static dev.sidefade.text.TestTexts.mutator;
import static dev.sidefade.text.TestTexts.refused;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.sidefade.fuzz.Mutator;
import dev.sidefade.tensor.BadInputException;
import dev.sidefade.text.ConllFile.Sentence;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ConllFileTest {
  private static final String FILE =
      "\uFEFF-DOCSTART- -X- -X- O\n\nJohn NNP I-NP B-PER\r\nlives VBZ\tI-VP  O\n . . O O \n\n\n"
          + "-DOCSTART- -X- O O\nBerlin\tB-LOC\n";

  @TempDir Path dir;

  @Test
  void readsSentences() throws IOException {
    ConllFile file = ConllFile.read(Files.writeString(dir.resolve("a.conll"), FILE));
    assertTrue(file.tagged());
    assertEquals(
        List.of(
            new Sentence(3, List.of("John", "lives", "."), List.of("B-PER", "O", "O")),
            new Sentence(9, List.of("Berlin"), List.of("B-LOC"))),
        file.sentences());
  }

  @Test
  void readsWordsWithoutTags() {
    ConllFile file = ConllFile.parse("x", "John\nlives\n\nBerlin");
    assertFalse(file.tagged());
    assertEquals(
        List.of(
            new Sentence(1, List.of("John", "lives"), List.of()),
            new Sentence(4, List.of("Berlin"), List.of())),
        file.sentences());
  }

  @Test
  void aWideBlankIsAWord() {
    ConllFile file = ConllFile.parse("x", "a O\n\u3000 O\nb B-X");
    assertEquals(
        List.of(new Sentence(1, List.of("a", "\u3000", "b"), List.of("O", "O", "B-X"))),
        file.sentences());
  }

  @Test
  void saysWhichLineIsWrong() throws IOException {
    refused(
        () -> ConllFile.parse("file x", "a O\n\nb\n"),
        "line 3 of file x",
        "'b' has no tag",
        "last");
    refused(() -> ConllFile.parse("file x", "a\nb O\n"), "line 2", "'b' has a tag");
    refused(() -> ConllFile.parse("file x", " \n-DOCSTART-\n"), "file x holds no sentence");
    Path latin = dir.resolve("l");
    Files.write(latin, "a O\n\u00E9 O\n".getBytes(StandardCharsets.ISO_8859_1));
    refused(() -> ConllFile.read(latin), "line 2 of CoNLL file", "not UTF-8");
    refused(() -> ConllFile.read(dir.resolve("no")), "does not exist");
  }

  @Test
  void whatIsWrittenIsRead() {
    Random random = new Random(3);
    for (int round = 0; round < 200; round++) {
      StringBuilder text = new StringBuilder();
      List<Sentence> expected = new ArrayList<>();
      int line = 1;
      for (int s = random.nextInt(4); s >= 0; s--) {
        List<String> words = new ArrayList<>();
        List<String> tags = new ArrayList<>();
        for (int w = random.nextInt(5); w >= 0; w--) {
          words.add("w\u00A0\u2028" + random.nextInt(9));
          tags.add("T" + random.nextInt(3));
          String middle = random.nextBoolean() ? " m" : "";
          text.append(words.getLast()).append(middle).append('\t').append(tags.getLast());
          text.append(random.nextBoolean() ? "\n" : " \r\n");
        }
        expected.add(new Sentence(line, words, tags));
        int blank = 1 + random.nextInt(2);
        text.append("\n".repeat(blank));
        line += words.size() + blank;
      }
      assertEquals(expected, ConllFile.parse("x", text.toString()).sentences());
    }
  }

  @Test
  void damagedFilesAreReadOrRefused() {
    Mutator mutator = mutator(FILE.repeat(2).getBytes(StandardCharsets.UTF_8));
    Random random = new Random(6);
    int read = 0;
    for (int round = 0; round < 5000; round++) {
      byte[] bytes = mutator.mutant(random);
      try {
        assertFalse(ConllFile.parse("x", TextFile.decode("x", bytes)).sentences().isEmpty());
        read++;
      } catch (BadInputException e) {
        assertTrue(e.getMessage().length() < 400, e.getMessage());
      }
    }
    assertTrue(read > 100, read + " read");
  }
}
