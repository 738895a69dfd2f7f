package dev.sidefade;

import static dev.sidefade.QuickRuns.model;
import static dev.sidefade.QuickRuns.quick;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import dev.sidefade.distill.Direction;
import dev.sidefade.export.Delta;
import dev.sidefade.report.RunReport;
import dev.sidefade.tensor.BadInputException;
import dev.sidefade.train.KlRows;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The whole way with classes of texts, on small backbones with random weights. */
class TextAdaptTest {
  @TempDir static Path shared;
  private static TextFiles files;
  private static TextFiles.Sets sentiments;
  private static AdaptResult reference;

  @TempDir Path folder;

  @BeforeAll
  static void adaptOnce() throws IOException {
    files = new TextFiles(Files.createDirectory(shared.resolve("data")));
    sentiments = files.sentiments(120, 60);
    reference = quick(referenceConfig(shared.resolve("reference")));
  }

  /** With unlabelled texts, and some that are longer than 24 tokens. */
  private static AdaptConfig.Builder referenceConfig(Path out) throws IOException {
    return files
        .config(TaskKind.TEXT, "minilm_legacy11", sentiments, out)
        .unlabelled(files.unlabelled(100).toString())
        .measureUnlabelled(false)
        .maxLength(16)
        .klAuto(true);
  }

  private AdaptConfig.Builder config(String backbone, String out) throws IOException {
    return files.config(TaskKind.TEXT, backbone, sentiments, folder.resolve(out));
  }

  private static double test(AdaptResult result, String network) {
    return result.report().accuracy(RunReport.TEST, network).orElseThrow();
  }

  private static TextPredictor open(Path model) throws IOException {
    return TextPredictor.open(model, files.tokenizer(), 1);
  }

  @Test
  void learnsAndSaysHowWell() throws IOException {
    assertTrue(test(reference, RunReport.FADED) > 0.9, reference.report().measures().toString());
    assertTrue(test(reference, RunReport.SIDE) > 0.9, reference.report().measures().toString());
    JsonObject metrics =
        JsonParser.parseString(Files.readString(reference.metrics())).getAsJsonObject();
    assertEquals(
        test(reference, RunReport.FADED),
        metrics.getAsJsonObject("accuracy").getAsJsonObject("test").get("faded").getAsDouble());
    String page = Files.readString(reference.html());
    assertTrue(page.contains("praise") && page.contains("good"), "classes and texts are shown");
    assertEquals(List.of("blame", "praise"), reference.report().classNames());
  }

  @Test
  void textsThatAreTooLongAreCutAndCounted() throws IOException {
    // a word is a token here, and two are added
    long cut =
        TextFiles.rows(sentiments.test()).stream()
            .filter(row -> row.split("\t")[1].split(" ").length > 14)
            .count();
    String note = cut + " of 60 test texts were longer than 16 tokens and were cut.";
    assertTrue(cut > 5, note);
    assertTrue(reference.report().notes().contains(note), reference.report().notes().toString());
    assertTrue(Files.readString(reference.metrics()).contains(note));
    assertTrue(Files.readString(reference.html()).contains(note));
    try (TextPredictor faded = open(reference.model().orElseThrow())) {
      assertEquals(cut, faded.evaluate(sentiments.test().toString(), true).get("truncated"));
    }
  }

  @Test
  void exportedModelsAnswerAsTheNetworksDidInTraining() throws IOException {
    String data = sentiments.test().toString();
    try (TextPredictor faded = open(reference.model().orElseThrow());
        TextPredictor kept = open(reference.kept().orElseThrow())) {
      assertEquals(TaskKind.TEXT, faded.task());
      assertFalse(faded.pairs());
      assertEquals(List.of("blame", "praise"), faded.labels());
      assertEquals(
          test(reference, RunReport.FADED), faded.evaluate(data, true).get("accuracy"), 1e-12);
      assertEquals(
          test(reference, RunReport.SIDE), kept.evaluate(data, true).get("accuracy"), 1e-12);
      assertEquals(60, faded.evaluate(data, true).get("examples"));
    }
  }

  @Test
  void deltaAndBaseMakeTheModel() throws IOException {
    Path made = folder.resolve("made.onnx");
    Delta.apply(files.backbone("minilm_legacy11"), reference.delta().orElseThrow(), made);
    assertArrayEquals(model(reference), Files.readAllBytes(made));
  }

  @Test
  void sameSeedGivesTheSameBytesAndAnotherSeedOthers() throws IOException {
    byte[] again = model(quick(referenceConfig(folder.resolve("again")).threads(1)));
    assertArrayEquals(model(reference), again);
    byte[] other = model(quick(referenceConfig(folder.resolve("other")).seed(5)));
    assertFalse(Arrays.equals(model(reference), other));
  }

  @Test
  void aRunStoppedAtAnyMomentResumesToTheSameBytes() throws IOException {
    for (long stop : new long[] {3, 20, 41}) {
      Path out = folder.resolve("stopped" + stop);
      assertThrows(
          Stopped.class,
          () -> Sidefade.adapt(referenceConfig(out).build(), new StopAt("training", stop)));
      assertArrayEquals(
          model(reference), model(quick(referenceConfig(out).resume(true))), "step " + stop);
    }
  }

  /** As many as several batches hold, from one word to far more than fit. */
  private static List<String> mixed(Random random) {
    List<String> texts = new ArrayList<>();
    for (int i = 0; i < 75; i++) {
      String text = TextFiles.sentiment(i % 3 == 0, random);
      texts.add(i % 10 == 9 ? text + " very".repeat(60) : text);
    }
    texts.add("good");
    texts.add("映 画 \ud83d\ude00 zzz");
    return texts;
  }

  @Test
  void answersComeInTheOrderOfTheTextsWhateverTheirLengths() throws IOException {
    List<String> texts = mixed(new Random(9));
    try (TextPredictor predictor = open(reference.model().orElseThrow())) {
      List<TextPrediction> together = predictor.predict(texts, List.of(), 2);
      assertEquals(texts.size(), together.size());
      int right = 0;
      for (int i = 0; i < texts.size(); i++) {
        List<Prediction> classes = together.get(i).classes();
        List<Prediction> alone =
            predictor.predict(List.of(texts.get(i)), List.of(), 1).getFirst().classes();
        assertEquals(1, alone.size());
        assertEquals(1, classes.get(0).probability() + classes.get(1).probability(), 1e-6);
        assertEquals(alone.getFirst().label(), classes.getFirst().label(), texts.get(i));
        assertEquals(alone.getFirst().probability(), classes.getFirst().probability(), 1e-5);
        boolean good = i % 3 == 0;
        right += i < 75 && classes.getFirst().label().equals(good ? "praise" : "blame") ? 1 : 0;
      }
      assertTrue(right > 65, right + " of 75 are right");
      assertEquals(List.of(), predictor.predict(List.of(), List.of(), 1));
      assertThrows(
          BadInputException.class, () -> predictor.predict(List.of("good", " "), List.of(), 1));
      assertThrows(BadInputException.class, () -> predictor.predict(List.of("a"), List.of("b"), 1));
    }
  }

  @Test
  void severalThreadsMayAskAtOnce() throws IOException {
    List<String> texts = mixed(new Random(10));
    try (TextPredictor predictor = open(reference.model().orElseThrow())) {
      List<TextPrediction> expected = predictor.predict(texts, List.of(), 1);
      List<List<TextPrediction>> answers =
          IntStream.range(0, 8)
              .parallel()
              .mapToObj(_ -> predictor.predict(texts, List.of(), 1))
              .toList();
      answers.forEach(answer -> assertEquals(expected, answer));
    }
  }

  /** Of each backbone family, exporter, way to tune, side network and path something. */
  @Test
  void everyWayTrains() throws IOException {
    List<AdaptConfig.Builder> configs =
        List.of(
            config("bert_legacy17", "a").tune(Tune.FINAL_NORM).side(SideKind.NONE).epochs(8),
            config("roberta_dynamo20", "b").tune(Tune.NORMS).side(SideKind.NONE).epochs(6),
            config("distilbert_legacy14", "c").features(Direction.BACKBONE_TO_SIDE).maskRatio(0.3),
            config("bert_dynamo20", "d").klAuto(true).sideView(SideView.TUNED),
            config("roberta_model_legacy17", "e")
                .side(SideKind.ADAPTER)
                .features(Direction.SIDE_TO_BACKBONE)
                .gradientMode(GradientMode.TAPS),
            config("distilbert_model_legacy11", "f")
                .unlabelled(files.unlabelled(60).toString())
                .klRows(KlRows.UNLABELLED)
                .microBatch(5),
            config("bert_model_legacy14", "g").tune(Tune.BIASES).patience(2).epochs(4));
    for (AdaptConfig.Builder builder : configs) {
      AdaptConfig config = builder.build();
      AdaptResult result = quick(builder);
      String what = config.backbone().getFileName() + " " + result.report().measures();
      assertTrue(test(result, RunReport.FADED) > 0.75, what);
      try (TextPredictor faded = open(result.model().orElseThrow())) {
        assertEquals(
            test(result, RunReport.FADED),
            faded.evaluate(config.test().orElseThrow(), true).get("accuracy"),
            what);
      }
      if (config.unlabelled().isPresent()) {
        assertTrue(
            result.report().withoutUnlabelled().get(RunReport.TEST).get(RunReport.FADED) > 0.5,
            what);
      }
    }
  }

  @Test
  void withTuneNoneOnlyTheSideNetworkIsMade() throws IOException {
    AdaptResult result = quick(config("minilm_legacy14", "none").tune(Tune.NONE));
    assertTrue(result.model().isEmpty() && result.delta().isEmpty());
    try (TextPredictor kept = open(result.kept().orElseThrow())) {
      assertEquals(
          test(result, RunReport.SIDE),
          kept.evaluate(sentiments.test().toString(), true).get("accuracy"));
    }
  }

  /** Rows whose label is empty are unlabelled ones, wherever they stand in the file. */
  @Test
  void rowsWithoutALabelJoinTheUnlabelledOnes() throws IOException {
    List<String> labelled = TextFiles.rows(sentiments.train());
    Path unlabelled = files.unlabelled(100);
    List<String> mixed = new ArrayList<>(labelled);
    List<String> texts = TextFiles.rows(unlabelled);
    for (int i = 0; i < texts.size(); i++) {
      mixed.add(2 * i, "\t" + texts.get(i));
    }
    Path train = files.file("mixed.tsv", "label\ttext\n" + String.join("\n", mixed) + "\n");
    AdaptResult result =
        quick(
            files
                .config(
                    TaskKind.TEXT,
                    "minilm_legacy11",
                    new TextFiles.Sets(train, sentiments.validation(), sentiments.test()),
                    folder.resolve("mixed"))
                .measureUnlabelled(false)
                .maxLength(16)
                .klAuto(true));
    String note = "100 training examples have no label and join the unlabelled ones.";
    assertTrue(result.report().notes().contains(note), result.report().notes().toString());
    assertEquals(reference.report().measures(), result.report().measures());
  }
}
