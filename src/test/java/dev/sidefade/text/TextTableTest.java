package dev.sidefade.text;

import static dev.sidefade.text.TestTexts.mutator;
import static dev.sidefade.text.TestTexts.refused;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.sidefade.fuzz.Mutator;
import dev.sidefade.tensor.BadInputException;
import dev.sidefade.text.TextTable.Row;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TextTableTest {
  @TempDir Path dir;

  private TextTable read(String name, String text) throws IOException {
    return TextTable.read(Files.writeString(dir.resolve(name), text), false);
  }

  private static List<String> texts(TextTable table) {
    return table.rows().stream().map(Row::text).toList();
  }

  private static List<String> labels(TextTable table) {
    return table.rows().stream().map(r -> r.label().orElse("-")).toList();
  }

  @Test
  void readsTabs() throws IOException {
    TextTable table =
        read("a.tsv", "text\tlabel\na good film\tpos\r\n\n bad , film \tneg\nso so\t");
    assertEquals(List.of("a good film", "bad , film", "so so"), texts(table));
    assertEquals(List.of("pos", "neg", "-"), labels(table));
    assertEquals(List.of(2, 4, 5), table.rows().stream().map(Row::line).toList());
    assertEquals(1, table.blankLines());
    assertTrue(table.labelled());
    assertFalse(table.pairs());
  }

  @Test
  void rawQuotesOfTabSeparatedTextSurvive() throws IOException {
    String[] raw = {
      "he said \"no\" twice",
      "\"a\" film",
      "\"quoted through and through\"",
      "\"open",
      "5\" screen",
      "\"",
      "\"one\" and \"two\"",
      "a \"\" b"
    };
    TextTable table = read("a.tsv", "label\ttext\n1\t" + String.join("\n1\t", raw) + "\n");
    assertEquals(List.of(raw), texts(table));
  }

  @Test
  void undoesQuotesThatOnlyAWriterProduces() throws IOException {
    assertEquals(
        List.of("a \"good\" film", "plain"),
        texts(read("a.tsv", "text\tlabel\n\"a \"\"good\"\" film\"\t1\nplain\t0\n")));
    TextTable all = read("b.tsv", "\"text\"\t\"label\"\n\"two\tcolumns\nin \"\"one\"\"\"\t\"x\"\n");
    assertEquals(List.of("two\tcolumns\nin \"one\""), texts(all));
    assertEquals(List.of("x"), labels(all));
  }

  @Test
  void readsCommas() throws IOException {
    TextTable table =
        read(
            "a.CSV",
            "\uFEFFid,Text,LABEL\r\n7,\"one, \"\"two\"\"\r\nthree\",x\n8,it's 5\" wide,\"y\"");
    assertEquals(List.of("one, \"two\"\r\nthree", "it's 5\" wide"), texts(table));
    assertEquals(List.of("x", "y"), labels(table));
    assertEquals(List.of(2, 4), table.rows().stream().map(Row::line).toList());
  }

  @Test
  void everyTextSurvivesQuoting() throws IOException {
    Random random = new Random(11);
    String alphabet = "ab,\"\n\t '\u00E9\u2028\uD83D\uDE00;\r";
    for (int round = 0; round < 300; round++) {
      StringBuilder file = new StringBuilder("label,text,text_b\n");
      List<Row> expected = new ArrayList<>();
      for (int line = 2, k = random.nextInt(5); k >= 0; k--) {
        String a = "<" + word(random, alphabet) + ">";
        String b = "<" + word(random, alphabet) + ">";
        expected.add(new Row(line, a, Optional.of(b), Optional.of("" + k)));
        String row = quoted(a, random) + "," + quoted(b, random);
        line += 1 + (int) row.chars().filter(c -> c == '\n').count();
        file.append(k).append(',').append(row).append(random.nextBoolean() ? "\n" : "\r\n");
      }
      assertEquals(expected, read("q.csv", file.toString()).rows());
    }
  }

  private static String word(Random random, String alphabet) {
    int[] points = alphabet.codePoints().toArray();
    StringBuilder word = new StringBuilder();
    for (int n = random.nextInt(8); n > 0; n--) {
      word.appendCodePoint(points[random.nextInt(points.length)]);
    }
    return word.toString();
  }

  private static String quoted(String text, Random random) {
    boolean needed = text.chars().anyMatch(c -> ",\"\n\r".indexOf(c) >= 0);
    return needed || random.nextBoolean() ? '"' + text.replace("\"", "\"\"") + '"' : text;
  }

  @Test
  void findsColumnsByTheirNames() throws IOException {
    TextTable pairs = read("p.tsv", "index\tsentence1\tsentence2\tscore\n0\ta\tb\t2.5\n");
    assertEquals(List.of(new Row(2, "a", Optional.of("b"), Optional.of("2.5"))), pairs.rows());
    assertTrue(pairs.pairs());
    TextTable alone = read("s.txt", "Sentence\nwords, words\n");
    assertEquals(List.of("words, words"), texts(alone));
    assertFalse(alone.labelled());
  }

  @Test
  void saysWhatIsWrongWithTheHeader() {
    refused(
        () -> read("a.tsv", "\nQuality\t#1 String\n1\tx\n"),
        "line 2",
        "'Quality', '#1 String'",
        "expected a column text",
        "separated by tabs");
    refused(() -> read("a.csv", "text;label\nx;1\n"), "'text;label'", "separated by commas");
    refused(() -> read("a.csv", "text,Sentence,label\nx,y,1\n"), "both 'text' and 'sentence'");
    refused(() -> read("a.tsv", "text\ttext\nx\ty\n"), "both 'text' and 'text'");
    refused(() -> read("a.tsv", "a good film\n"), "'a good film'", "expected a column text");
    refused(() -> read("a.tsv", ""), "is empty", "in its first line");
    refused(() -> read("a.tsv", "text\tlabel\n\n"), "holds no text");
    refused(() -> read("a.json", "text\nx"), "must be named .tsv");
  }

  @Test
  void saysWhichLineIsWrong() {
    refused(() -> read("a.tsv", "text\tlabel\na\t1\n\nb\n"), "line 4", "1 column,", "has 2");
    refused(() -> read("a.tsv", "text\tlabel\na\tb\t1\n"), "line 2", "3 columns", "tabs");
    refused(() -> read("a.csv", "text,label\n\"a\nb\",1\nc, d,2\n"), "line 4", "double quotes");
    refused(() -> read("a.csv", "text,label\nx,1\n\"a,1\nb,2\n"), "line 3", "does not end");
    refused(() -> read("a.csv", "text,label\n\"a\nb\"c,1\n"), "line 3", "'c,1'");
  }

  @Test
  void leavesOutEmptyTexts() throws IOException {
    String text = "text\ttext_b\tlabel\na\tb\t1\n\tb\t1\na\t \t0\nc\td\t0\n";
    TextTable table = read("a.tsv", text);
    assertEquals(List.of("a", "c"), texts(table));
    assertEquals(2, table.emptyTexts());
    refused(() -> TextTable.read(dir.resolve("a.tsv"), true), "line 3", "its text is empty");
  }

  @Test
  void refusesWhatIsNotUtf8() throws IOException {
    Path file = dir.resolve("a.tsv");
    Files.write(file, "text\tlabel\nna\u00EFve\t1\n".getBytes(StandardCharsets.ISO_8859_1));
    refused(() -> TextTable.read(file, false), "line 2 of text file", "a.tsv", "not UTF-8");
    Files.write(file, "text\nx\n".getBytes(StandardCharsets.UTF_16LE));
    refused(() -> TextTable.read(file, false), "line 1", "zero byte");
    Files.write(file, "text\nx\n".getBytes(StandardCharsets.UTF_16));
    refused(() -> TextTable.read(file, false), "line 1", "not UTF-8");
    refused(() -> TextTable.read(dir.resolve("no.tsv"), false), "no.tsv does not exist");
    Files.createDirectory(dir.resolve("d.tsv"));
    refused(() -> TextTable.read(dir.resolve("d.tsv"), false), "is not a file");
  }

  @Test
  void readsLines() {
    byte[] lines = "a good film\n\n b\tc\r\n".getBytes(StandardCharsets.UTF_8);
    TextTable table = TextTable.lines("standard input", lines, false);
    assertEquals(List.of("a good film", "b\tc"), texts(table));
    assertEquals(1, table.blankLines());
    refused(
        () -> TextTable.lines("standard input", lines, true), "line 1 of standard input", "tab");
    byte[] pair = "x\ty".getBytes(StandardCharsets.UTF_8);
    assertEquals(
        Optional.of("y"), TextTable.lines("standard input", pair, true).rows().get(0).textB());
    refused(() -> TextTable.lines("standard input", new byte[0], false), "holds no text");
  }

  @Test
  void damagedFilesAreReadOrRefused() {
    String commas =
        "\uFEFFid,text,label\r\n1,\"a \"\"b\"\", c\n\td\",x\n2,\u00E9,\"y\"\n\n3,\uD83D\uDE00 z,\n"
            + "4,\"\"\"q\"\"\",x\n5,,\n";
    String tabs =
        "\uFEFFid\ttext\tlabel\r\n1\t\"a \"\"b\"\", c\"\tx\n2\t\u00E9\t\"y\"\n\n3\t\uD83D\uDE00\t\n"
            + "4\t\"q\" and \"r\"\tx\n5\t\t\n";
    String quotedTabs =
        commas.replace(',', '\t').replace("id\ttext\tlabel", "\"id\"\t\"text\"\t\"l\"");
    Random random = new Random(5);
    for (String file : List.of(commas, tabs, quotedTabs)) {
      Mutator mutator = mutator(file.getBytes(StandardCharsets.UTF_8));
      int read = 0;
      for (int round = 0; round < 3000; round++) {
        byte[] bytes = mutator.mutant(random);
        try {
          String text = TextFile.decode("x", bytes);
          assertFalse(TextTable.parse("x", text, file.equals(commas), false).rows().isEmpty());
          read++;
        } catch (BadInputException e) {
          assertTrue(e.getMessage().length() < 700, e.getMessage());
        }
      }
      assertTrue(read > 100, read + " read of " + file);
    }
  }

  @Test
  void everyBeginningOfAFileIsReadOrRefused() {
    byte[] file = "text,label\n\"a \"\"b\"\"\",x\r\nc\u00E9,y\n".getBytes(StandardCharsets.UTF_8);
    for (int n = 0; n < file.length; n++) {
      byte[] start = Arrays.copyOf(file, n);
      try {
        TextTable.parse("x", TextFile.decode("x", start), true, false);
      } catch (BadInputException e) {
        assertTrue(e.getMessage().contains("x"));
      }
    }
  }

  @Test
  void longFilesTakeLinearTime() {
    String tsv = "text\n" + "a\n".repeat(300_000);
    String csv = "text\n" + "\"a\"\"\"\n".repeat(200_000);
    assertTimeoutPreemptively(
        Duration.ofSeconds(20),
        () -> {
          assertEquals(300_000, TextTable.parse("x", tsv, false, false).rows().size());
          assertEquals(300_000, TextTable.parse("x", tsv, true, false).rows().size());
          assertEquals(200_000, TextTable.parse("x", csv, true, false).rows().size());
        });
  }
}
