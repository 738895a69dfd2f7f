package dev.sidefade;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import dev.sidefade.export.Delta;
import dev.sidefade.report.RunReport;
import dev.sidefade.tensor.BadInputException;
import dev.sidefade.train.KlRows;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The whole way with pairs of texts, numbers and classes of words. */
class TextTasksTest {
  @TempDir Path folder;
  private TextFiles files;

  @BeforeEach
  void unpack() throws IOException {
    files = new TextFiles(Files.createDirectory(folder.resolve("data")));
  }

  private AdaptResult adapt(AdaptConfig.Builder config) throws IOException {
    AdaptResult result = Sidefade.adapt(config.build(), ProgressListener.SILENT, Duration.ZERO);
    deltaAndBaseMakeTheModel(config.build().backbone(), result);
    return result;
  }

  private void deltaAndBaseMakeTheModel(Path backbone, AdaptResult result) throws IOException {
    Path made = Files.createTempFile(folder, "made", ".onnx");
    Delta.apply(backbone, result.delta().orElseThrow(), made);
    assertArrayEquals(Files.readAllBytes(result.model().orElseThrow()), Files.readAllBytes(made));
  }

  private TextPredictor open(Path model) throws IOException {
    return TextPredictor.open(model, files.tokenizer(), 1);
  }

  private static JsonObject metrics(AdaptResult result) throws IOException {
    return JsonParser.parseString(Files.readString(result.metrics())).getAsJsonObject();
  }

  /** What the report says of a test score, under its name. */
  private static double reported(AdaptResult result, String measure, String network)
      throws IOException {
    return metrics(result)
        .getAsJsonObject(measure)
        .getAsJsonObject(RunReport.TEST)
        .get(network)
        .getAsDouble();
  }

  private static void withoutUnlabelledIsMeasured(AdaptResult result) throws IOException {
    JsonObject scores = metrics(result).getAsJsonObject("without_unlabelled");
    for (String network : List.of("faded", "side")) {
      double score = scores.getAsJsonObject(RunReport.TEST).get(network).getAsDouble();
      assertTrue(score > 0 && score <= 1, scores.toString());
    }
  }

  @Test
  void pairsAreComparedWithEachOther() throws IOException {
    TextFiles.Sets pairs = files.pairs(300, 60);
    AdaptResult result =
        adapt(
            files
                .config(TaskKind.TEXT, "bert_legacy17", pairs, folder.resolve("out"))
                .tune(Tune.lowRank(4))
                .epochs(16)
                .learningRateLowRank(0.005)
                .learningRateNorm(0.005));
    // one text alone says nothing
    assertTrue(reported(result, "accuracy", "linear_probe") < 0.8);
    assertTrue(reported(result, "accuracy", "faded") > 0.9, metrics(result).toString());
    try (TextPredictor faded = open(result.model().orElseThrow())) {
      assertTrue(faded.pairs());
      assertEquals(
          reported(result, "accuracy", "faded"),
          faded.evaluate(pairs.test().toString(), true).get("accuracy"));
      assertEquals(reported(result, "accuracy", "faded"), shareOfRightPairs(faded, pairs.test()));
      assertThrows(BadInputException.class, () -> faded.predict(List.of("film"), List.of(), 1));
      assertThrows(
          BadInputException.class,
          () -> faded.predict(List.of("film", "film"), List.of("film"), 1));
      String single = files.sentiments(5, 5).test().toString();
      BadInputException e =
          assertThrows(BadInputException.class, () -> faded.evaluate(single, true));
      assertTrue(e.getMessage().contains("text_b"), e.getMessage());
    }
  }

  private static double shareOfRightPairs(TextPredictor predictor, Path file) throws IOException {
    List<String[]> rows =
        TextFiles.rows(file).stream().map(row -> row.replace("\"", "").split(",")).toList();
    List<TextPrediction> answers =
        predictor.predict(
            rows.stream().map(row -> row[0]).toList(),
            rows.stream().map(row -> row[1]).toList(),
            1);
    int right = 0;
    for (int i = 0; i < rows.size(); i++) {
      right += rows.get(i)[2].equals(answers.get(i).classes().getFirst().label()) ? 1 : 0;
    }
    return (double) right / rows.size();
  }

  @Test
  void singleTextsAndPairsAreNotMixed() throws IOException {
    TextFiles.Sets pairs = files.pairs(20, 20);
    Path single = files.unlabelled(10);
    AdaptConfig.Builder config =
        files
            .config(TaskKind.TEXT, "bert_legacy17", pairs, folder.resolve("out"))
            .unlabelled(single.toString());
    BadInputException e = assertThrows(BadInputException.class, () -> adapt(config));
    assertTrue(e.getMessage().contains("a column text_b is missing"), e.getMessage());
    TextFiles.Sets texts = files.sentiments(20, 20);
    AdaptConfig.Builder other =
        files
            .config(TaskKind.TEXT, "bert_legacy17", texts, folder.resolve("out"))
            .test(pairs.test().toString());
    e = assertThrows(BadInputException.class, () -> adapt(other));
    assertTrue(e.getMessage().contains("remove its column text_b"), e.getMessage());
  }

  @Test
  void numbersAreLearned() throws IOException {
    TextFiles.Sets grades = files.grades(160, 60);
    AdaptResult result =
        adapt(files.config(TaskKind.REGRESSION, "minilm_legacy11", grades, folder.resolve("out")));
    assertTrue(reported(result, "spearman", "faded") > 0.8, metrics(result).toString());
    assertTrue(reported(result, "pearson", "faded") > 0.8, metrics(result).toString());
    assertTrue(result.report().classNames().isEmpty());
    try (TextPredictor faded = open(result.model().orElseThrow());
        TextPredictor kept = open(result.kept().orElseThrow())) {
      Map<String, Double> measures = faded.evaluate(grades.test().toString(), true);
      for (String measure : List.of("spearman", "pearson", "mse")) {
        assertEquals(reported(result, measure, "faded"), measures.get(measure), 1e-5, measure);
      }
      assertEquals(60, measures.get("examples"));
      assertEquals(
          reported(result, "spearman", "side"),
          kept.evaluate(grades.test().toString(), true).get("spearman"),
          1e-5);
      List<String> texts = List.of("the good good film", "the film", "bad bad movie was bad");
      List<TextPrediction> answers = faded.predict(texts, List.of(), 1);
      double best = answers.get(0).value().orElseThrow();
      double middle = answers.get(1).value().orElseThrow();
      double worst = answers.get(2).value().orElseThrow();
      assertTrue(best > middle + 0.3 && middle > worst + 0.3, best + " " + middle + " " + worst);
      assertTrue(answers.get(0).classes().isEmpty() && answers.get(0).words().isEmpty());
      List<TextPrediction> alone = faded.predict(texts.subList(2, 3), List.of(), 1);
      assertEquals(worst, alone.getFirst().value().orElseThrow(), 1e-5);
    }
  }

  @Test
  void numbersAreLearnedWithUnlabelledTextsAndWithoutATeacher() throws IOException {
    TextFiles.Sets grades = files.grades(160, 60);
    AdaptResult taught =
        adapt(
            files
                .config(TaskKind.REGRESSION, "roberta_legacy17", grades, folder.resolve("taught"))
                .unlabelled(files.unlabelled(50).toString())
                .tune(Tune.NORMS)
                .klRows(KlRows.UNLABELLED));
    assertTrue(reported(taught, "spearman", "faded") > 0.6, metrics(taught).toString());
    withoutUnlabelledIsMeasured(taught);
    AdaptResult alone =
        adapt(
            files
                .config(TaskKind.REGRESSION, "distilbert_dynamo18", grades, folder.resolve("alone"))
                .side(SideKind.NONE));
    assertTrue(reported(alone, "spearman", "faded") > 0.8, metrics(alone).toString());
    assertTrue(alone.kept().isEmpty());
  }

  @Test
  void wordsGetTheirTags() throws IOException {
    TextFiles.Sets names = files.names(150, 50);
    AdaptResult result =
        adapt(
            files
                .config(TaskKind.TOKENS, "roberta_legacy17", names, folder.resolve("out"))
                .epochs(8));
    assertTrue(reported(result, "f1", "faded") > 0.7, metrics(result).toString());
    assertTrue(reported(result, "accuracy", "faded") > 0.85, metrics(result).toString());
    assertEquals("f1", metrics(result).get("score").getAsString());
    assertEquals(List.of("B-LOC", "B-PER", "I-PER", "O"), result.report().classNames());
    try (TextPredictor faded = open(result.model().orElseThrow());
        TextPredictor kept = open(result.kept().orElseThrow())) {
      Map<String, Double> measures = faded.evaluate(names.test().toString(), true);
      assertEquals(reported(result, "accuracy", "faded"), measures.get("accuracy"));
      assertEquals(reported(result, "f1", "faded"), measures.get("f1"));
      assertEquals(50, measures.get("examples"));
      assertEquals(
          reported(result, "f1", "side"), kept.evaluate(names.test().toString(), true).get("f1"));
      List<WordTag> tags =
          faded.predict(List.of("  in Berlin \t unlikely\n"), List.of(), 1).getFirst().words();
      assertEquals(List.of("in", "Berlin", "unlikely"), tags.stream().map(WordTag::word).toList());
      assertEquals(List.of("O", "B-LOC", "O"), tags.stream().map(WordTag::tag).toList());
      assertTrue(tags.stream().allMatch(t -> t.probability() > 0.25 && t.probability() <= 1));
      everyWordThatFitsIsTagged(faded);
    }
  }

  private static void everyWordThatFitsIsTagged(TextPredictor faded) {
    Random random = new Random(3);
    List<String> texts = new ArrayList<>();
    for (int i = 0; i < 40; i++) {
      texts.add("john" + " was".repeat(random.nextInt(20)) + " in berlin");
    }
    // 24 tokens, of which two are special
    texts.add("was ".repeat(50));
    List<TextPrediction> answers = faded.predict(texts, List.of(), 1);
    for (int i = 0; i < texts.size(); i++) {
      List<String> words = List.of(texts.get(i).strip().split(" "));
      assertEquals(
          words.subList(0, Math.min(22, words.size())),
          answers.get(i).words().stream().map(WordTag::word).toList());
      List<TextPrediction> alone = faded.predict(texts.subList(i, i + 1), List.of(), 1);
      assertEquals(
          alone.getFirst().words().stream().map(WordTag::tag).toList(),
          answers.get(i).words().stream().map(WordTag::tag).toList());
    }
  }

  /** Tags of unlabelled sentences are not looked at, be they unknown ones. */
  @Test
  void sentencesWithoutTagsHelp() throws IOException {
    TextFiles.Sets names = files.names(60, 30);
    String more = TextFiles.names(40, new Random(8));
    Path tagged = files.file("tagged.conll", more.replace("B-PER", "B-ROBOT"));
    Path plain = files.file("plain.conll", more.replaceAll(" [OBI][-A-Z]*\n", "\n"));
    List<byte[]> models = new ArrayList<>();
    for (Path unlabelled : List.of(tagged, plain)) {
      AdaptResult result =
          adapt(
              files
                  .config(
                      TaskKind.TOKENS,
                      "distilbert_legacy17",
                      names,
                      folder.resolve("out-" + unlabelled.getFileName()))
                  .unlabelled(unlabelled.toString())
                  .tune(Tune.FINAL_NORM)
                  .klAuto(true)
                  .epochs(2));
      withoutUnlabelledIsMeasured(result);
      models.add(Files.readAllBytes(result.model().orElseThrow()));
    }
    assertArrayEquals(models.get(0), models.get(1));
  }
}
