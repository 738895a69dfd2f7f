package dev.sidefade.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import dev.sidefade.QuickRuns;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Broken texts, tokenizers and models at the command line: one sentence, exit code 2, nothing left
 * behind.
 */
class TextInputTest {
  private static final String ROWS =
      "good film\tyes\nbad film\tno\n".repeat(6) + "a very good movie\tyes\n";

  @TempDir static Path shared;

  /** Of 50 words and 40 positions. */
  private static Path bert;

  private static Path tokenizer;
  private static Path train;

  /** Adapted to {@code train}. */
  private static Path adapted;

  @TempDir Path folder;
  private Path out;

  @BeforeAll
  static void adaptOnce() throws IOException {
    bert = copy("/models/bert_legacy17.onnx", shared.resolve("bert.onnx"));
    tokenizer = copy("/text/tokenizer.json", shared.resolve("tokenizer.json"));
    train = Files.writeString(shared.resolve("train.tsv"), "text\tlabel\n" + ROWS);
    Path result = shared.resolve("result");
    Cli.Outcome outcome =
        Cli.run(QuickRuns::adapt, adaptation(bert, train, result, texts()).toArray(String[]::new));
    assertEquals(0, outcome.code(), outcome.err());
    adapted = result.resolve("model.onnx");
  }

  @BeforeEach
  void chooseOut() {
    out = folder.resolve("out");
  }

  private static Path copy(String resource, Path to) throws IOException {
    try (InputStream in = TextInputTest.class.getResourceAsStream(resource)) {
      Files.copy(in, to);
    }
    return to;
  }

  private static String[] texts(String... more) {
    List<String> all =
        new ArrayList<>(List.of("--task", "text", "--tokenizer", tokenizer.toString()));
    all.addAll(List.of(more));
    return all.toArray(String[]::new);
  }

  private static List<String> adaptation(Path backbone, Path train, Path out, String... more) {
    List<String> args =
        new ArrayList<>(
            List.of(
                "adapt",
                "--backbone",
                backbone.toString(),
                "--train",
                train.toString(),
                "--out",
                out.toString(),
                "--epochs=1",
                "--tune=final-norm",
                "--threads=1"));
    args.addAll(List.of(more));
    return args;
  }

  private Cli.Outcome adapt(Path backbone, Path data, String... more) {
    return Cli.run(QuickRuns::adapt, adaptation(backbone, data, out, more).toArray(String[]::new));
  }

  private Cli.Outcome adapt(Path data, String... more) {
    return adapt(bert, data, texts(more));
  }

  private Path file(String name, String text) throws IOException {
    return Files.writeString(folder.resolve(name), text);
  }

  /** One sentence with these words and no trace of a program; nothing has been written. */
  private void refused(Cli.Outcome outcome, String... words) throws IOException {
    assertEquals(2, outcome.code(), outcome.err());
    assertEquals("", outcome.out());
    List<String> errors = outcome.err().lines().filter(line -> line.startsWith("error: ")).toList();
    assertEquals(1, errors.size(), outcome.err());
    assertEquals(errors.getFirst(), outcome.err().lines().toList().getLast());
    assertFalse(outcome.err().contains("\tat "), outcome.err());
    assertFalse(outcome.err().contains("Exception"), outcome.err());
    for (String word : words) {
      assertTrue(errors.getFirst().contains(word), errors.getFirst() + "\nlacks " + word);
    }
    if (Files.exists(out)) {
      try (Stream<Path> inside = Files.list(out)) {
        assertEquals(List.of(), inside.toList(), "something was left behind");
      }
    }
  }

  @Test
  void headers() throws IOException {
    refused(adapt(file("a.tsv", "review\tlabel\n" + ROWS)), "a.tsv", "'review'", "column text");
    refused(adapt(file("b.tsv", ROWS)), "line 1", "'good film', 'yes'", "column text");
    refused(adapt(file("c.tsv", "text\tstars\n" + ROWS)), "c.tsv", "no column label");
    refused(adapt(file("d.csv", "text\tlabel\n" + ROWS)), "d.csv", "separated by commas");
    refused(adapt(file("e.tsv", "text\tsentence\n" + ROWS)), "'text'", "'sentence'", "rename");
    refused(adapt(file("f.json", "{}")), "f.json", ".tsv");
    refused(adapt(folder.resolve("gone.tsv")), "gone.tsv", "does not exist");
    refused(adapt(folder), folder.toString());
  }

  @Test
  void rows() throws IOException {
    String head = "text\tlabel\n";
    refused(adapt(file("a.tsv", head + ROWS + "good\tyes\tno\n")), "line 15", "3 columns");
    refused(adapt(file("b.tsv", head + "good\tyes\nfine\tyes\n")), "b.tsv", "only one class");
    refused(adapt(file("c.tsv", head + "good\t\nbad\t\n")), "c.tsv", "no label in any row");
    refused(adapt(file("d.tsv", head + ROWS + "\tyes\n"), "--strict"), "line 15", "empty");
    refused(adapt(file("e.csv", "text,label\n\"good,yes\n")), "line 2", "last quote");
  }

  @Test
  void emptyFiles() throws IOException {
    refused(adapt(file("a.tsv", "")), "a.tsv", "is empty");
    refused(adapt(file("b.tsv", "\n  \n\n")), "b.tsv", "is empty");
    refused(adapt(file("c.tsv", "text\tlabel\n\n   \n\n")), "c.tsv", "holds no text");
    refused(adapt(file("d.tsv", "text\tlabel\n \tyes\n\tno\n")), "d.tsv", "holds no text");
    refused(adapt(train, "--test", file("e.tsv", "text\tlabel\n").toString()), "e.tsv", "no text");
    refused(adapt(train, "--unlabelled", file("f.tsv", "text\n\n").toString()), "f.tsv", "no text");
  }

  @Test
  void bytesThatAreNoText() throws IOException {
    byte[] rows =
        ("text\tlabel\n" + ROWS + "caf\u00e9\tyes\n").getBytes(StandardCharsets.ISO_8859_1);
    refused(adapt(Files.write(folder.resolve("a.tsv"), rows)), "line 15", "not UTF-8");
    byte[] wide = ("text\tlabel\n" + ROWS).getBytes(StandardCharsets.UTF_16LE);
    refused(adapt(Files.write(folder.resolve("b.tsv"), wide)), "line 1", "UTF-8");
    Path model = Files.copy(bert, folder.resolve("c.tsv"));
    refused(adapt(model), "c.tsv", "UTF-8");
  }

  @Test
  void labels() throws IOException {
    Path other = file("other.tsv", "text\tlabel\ngood\tyes\nbad\tperhaps\n");
    refused(adapt(train, "--test", other.toString()), "line 3", "'perhaps'", "no, yes");
    refused(adapt(train, "--val", other.toString()), "line 3", "'perhaps'", "no, yes");
    Path none = file("none.tsv", "text\ngood\n");
    refused(adapt(train, "--val", none.toString()), "none.tsv", "no column label");
    refused(adapt(train, "--test", none.toString()), "none.tsv", "no column label");
    String[] regression = {"--task", "regression", "--tokenizer", tokenizer.toString()};
    refused(adapt(bert, train, regression), "line 2", "'yes'", "not a number");
    Path infinite = file("infinite.tsv", "text\tscore\ngood\t1\nbad\t1e99\n");
    refused(adapt(bert, infinite, regression), "line 3", "1e99");
  }

  @Test
  void tags() throws IOException {
    String[] tokens = {"--task", "tokens", "--tokenizer", tokenizer.toString()};
    Path tagged = file("tagged.conll", "john B-PER\nis O\n\nin O\nberlin B-LOC\n".repeat(6));
    Path words = file("words.conll", "john\nis\n\nberlin\n");
    refused(adapt(bert, words, tokens), "words.conll", "no tags");
    Path gap = file("gap.conll", "john B-PER\nis\n");
    refused(adapt(bert, gap, tokens), "line 2", "'is' has no tag");
    String[] test = {"--task", "tokens", "--tokenizer", tokenizer.toString(), "--test", ""};
    test[5] = words.toString();
    refused(adapt(bert, tagged, test), "words.conll", "no tags");
    test[5] = file("new.conll", "john B-ROBOT\n").toString();
    refused(adapt(bert, tagged, test), "line 1", "'B-ROBOT'", "B-LOC");
    refused(adapt(bert, file("blank.conll", "\n\n"), tokens), "blank.conll", "no sentence");
  }

  @Test
  void tokenizers() throws IOException {
    Path gone = folder.resolve("gone.json");
    refused(adapt(bert, train, "--task", "text", "--tokenizer", gone.toString()), "gone.json");
    refused(adapt(bert, train, "--task", "text"), "--tokenizer", "tokenizer.json");
    for (String broken :
        List.of("", "{", "[]", "{}", "text\tlabel", "{\"model\": {\"vocab\": 3}}")) {
      Path json = file("broken.json", broken);
      refused(adapt(bert, train, "--task", "text", "--tokenizer", json.toString()), "broken.json");
    }
    refused(adapt(bert, train, "--task", "text", "--tokenizer", bert.toString()), "bert.onnx");
  }

  /** The model has 50 rows of words. */
  private Path tokenizerWithId(int id) throws IOException {
    JsonObject root = JsonParser.parseString(Files.readString(tokenizer)).getAsJsonObject();
    root.getAsJsonObject("model").getAsJsonObject("vocab").addProperty("zebra", id);
    return file("tokenizer" + id + ".json", root.toString());
  }

  @Test
  void aTokenizerOfAnotherModel() throws IOException {
    String[] options = {"--task", "text", "--tokenizer", tokenizerWithId(50).toString()};
    refused(adapt(bert, train, options), "does not fit the model", "up to 50", "50 rows");
    options[3] = tokenizerWithId(49).toString();
    Cli.Outcome fits = adapt(bert, train, options);
    assertEquals(0, fits.code(), fits.err());
    Path model = out.resolve("model.onnx");
    out = folder.resolve("nothing");
    Path lines = file("lines.txt", "good zebra\n");
    Path large = tokenizerWithId(50);
    refused(
        Cli.run(
            "predict",
            "--model",
            model.toString(),
            "--tokenizer",
            large.toString(),
            lines.toString()),
        "does not fit the model",
        "50 rows");
    refused(
        Cli.run(
            "evaluate",
            "--model",
            model.toString(),
            "--tokenizer",
            large.toString(),
            "--data",
            train.toString()),
        "does not fit the model",
        "50 rows");
  }

  @Test
  void backbonesAndTasksThatDoNotGoTogether() throws IOException {
    Path vit = copy("/models/vit_timm_dynamo20.onnx", folder.resolve("vit.onnx"));
    refused(adapt(vit, train, texts()), "image", "no token ids", "--task image");
    refused(adapt(bert, train), "input_ids", "not images");
    refused(adapt(vit, train, "--tokenizer", tokenizer.toString()), "tokenizer", "--task text");
    refused(adapt(vit, train, "--task", "image"), "train.tsv");
    refused(adapt(bert, train, "--task", "poetry"), "poetry", "regression");
  }

  @Test
  void lengths() throws IOException {
    refused(adapt(train, "--max-length", "41"), "--max-length 41", "40 tokens");
    refused(adapt(train, "--max-length", "2"), "2 tokens", "no room");
    refused(adapt(train, "--max-length", "-1"), "-1");
  }

  @Test
  void longTextsAreCutWithACount() throws IOException {
    Path longer =
        file("longer.tsv", "text\tlabel\ngood\tyes\n" + "bad ".repeat(500) + "\tno\n\n\tno\n");
    Cli.Outcome outcome = adapt(train, "--max-length", "40", "--test", longer.toString(), "--json");
    assertEquals(0, outcome.code(), outcome.err());
    String note = "1 of 2 test texts were longer than 40 tokens and were cut.";
    String skipped = "1 empty test lines or texts were skipped.";
    for (String where :
        List.of(
            outcome.out(),
            outcome.err(),
            Files.readString(out.resolve("metrics.json")),
            Files.readString(out.resolve("report.html")))) {
      assertTrue(where.contains(note), where);
      assertTrue(where.contains(skipped), where);
    }
  }

  @Test
  void predictAndEvaluate() throws IOException {
    String model = adapted.toString();
    String json = tokenizer.toString();
    Path lines = file("lines.txt", "good film\n\nbad film\n");
    Cli.Outcome good = Cli.run("predict", "--model", model, "--tokenizer", json, lines.toString());
    assertEquals(0, good.code(), good.err());
    assertEquals(2, good.out().lines().count());
    refused(Cli.run("predict", "--model", model, lines.toString()), "texts", "--tokenizer");
    refused(
        Cli.run("evaluate", "--model", model, "--data", train.toString()), "texts", "--tokenizer");
    refused(
        Cli.run("predict", "--model", bert.toString(), "--tokenizer", json, lines.toString()),
        "bert.onnx",
        "adapt");
    Path broken = Files.write(folder.resolve("broken.txt"), new byte[] {'a', (byte) 0xE9, '\n'});
    refused(
        Cli.run("predict", "--model", model, "--tokenizer", json, broken.toString()),
        "broken.txt",
        "UTF-8");
    Path other = file("other.tsv", "text\tlabel\nbad\tperhaps\n");
    refused(
        Cli.run("evaluate", "--model", model, "--tokenizer", json, "--data", other.toString()),
        "line 2",
        "'perhaps'");
    Path pairs = file("pairs.tsv", "text\ttext_b\tlabel\nbad\tgood\tno\n");
    refused(
        Cli.run("evaluate", "--model", model, "--tokenizer", json, "--data", pairs.toString()),
        "pairs.tsv",
        "text_b");
  }
}
