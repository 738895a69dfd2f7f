package dev.sidefade;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import dev.sidefade.distill.Direction;
import dev.sidefade.distill.MaskSchedule;
import dev.sidefade.export.Delta;
import dev.sidefade.kernels.MaskPlacement;
import dev.sidefade.kernels.Pooling;
import dev.sidefade.onnx.OnnxModel;
import dev.sidefade.report.RunReport;
import dev.sidefade.tensor.BadInputException;
import dev.sidefade.train.DivergedException;
import java.awt.Graphics2D;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.stream.IntStream;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The whole way on the shipped backbone and digits, with few epochs. */
class AdaptTest {
  @TempDir static Path shared;
  private static DemoFiles demo;
  private static AdaptResult reference;

  @TempDir Path folder;

  @BeforeAll
  static void adaptOnce() throws IOException {
    demo = new DemoFiles(Files.createDirectory(shared.resolve("data")));
    reference = Sidefade.adapt(demo.config(shared.resolve("reference")).build());
  }

  private byte[] model(AdaptConfig.Builder config) throws IOException {
    return Files.readAllBytes(quick(config.build()).model().orElseThrow());
  }

  /** Without measuring latencies, which takes longer than these trainings. */
  private static AdaptResult quick(AdaptConfig config) throws IOException {
    return Sidefade.adapt(config, ProgressListener.SILENT, Duration.ZERO);
  }

  private static byte[] referenceModel() throws IOException {
    return Files.readAllBytes(reference.model().orElseThrow());
  }

  @Test
  void learnsAndWritesEverything() throws IOException {
    double faded = reference.report().accuracy(RunReport.TEST, RunReport.FADED).orElseThrow();
    assertTrue(faded > 0.8, "three epochs reach " + faded);
    for (Path file :
        List.of(
            reference.model().orElseThrow(),
            reference.delta().orElseThrow(),
            reference.kept().orElseThrow(),
            reference.html())) {
      assertTrue(Files.size(file) > 1000, file.toString());
    }
    JsonObject metrics =
        JsonParser.parseString(Files.readString(reference.metrics())).getAsJsonObject();
    assertEquals(
        faded,
        metrics.getAsJsonObject("accuracy").getAsJsonObject("test").get("faded").getAsDouble());
    assertTrue(
        metrics.getAsJsonObject("latency_ms").getAsJsonObject("batch32").get("kept").getAsDouble()
            > 0);
    assertTrue(
        metrics.getAsJsonObject("memory_bytes").get("training_peak").getAsLong() > 1_000_000);
  }

  @Test
  void exportedModelsAnswerAsTheNetworksDidInTraining() throws IOException {
    try (Predictor faded = Predictor.open(reference.model().orElseThrow(), 2);
        Predictor kept = Predictor.open(reference.kept().orElseThrow(), 2)) {
      assertEquals(
          reference.report().accuracy(RunReport.TEST, RunReport.FADED).orElseThrow(),
          faded.evaluate(demo.images("test"), true).accuracy());
      assertEquals(
          reference.report().accuracy(RunReport.TEST, RunReport.SIDE).orElseThrow(),
          kept.evaluate(demo.images("test"), true).accuracy());
    }
  }

  @Test
  void severalThreadsMayAskAtOnce() throws IOException {
    List<Path> images = new ArrayList<>();
    for (int i = 0; i < 12; i++) {
      BufferedImage image = new BufferedImage(28, 28, BufferedImage.TYPE_BYTE_GRAY);
      Graphics2D graphics = image.createGraphics();
      graphics.fillOval(2 + i % 5, 3, 10 + i, 8 + i);
      graphics.dispose();
      Path file = folder.resolve(i + ".png");
      ImageIO.write(image, "png", file.toFile());
      images.add(file);
    }
    try (Predictor predictor = Predictor.open(reference.model().orElseThrow(), 1)) {
      List<List<Prediction>> expected = predictAll(predictor, images);
      List<List<List<Prediction>>> answers;
      try (ExecutorService threads = Executors.newFixedThreadPool(8)) {
        answers =
            IntStream.range(0, 16)
                .mapToObj(_ ->
                    CompletableFuture.supplyAsync(() -> predictAll(predictor, images), threads))
                .toList()
                .stream()
                .map(CompletableFuture::join)
                .toList();
      }
      answers.forEach(answer -> assertEquals(expected, answer));
      assertTrue(expected.stream().distinct().count() > 1);
    }
  }

  private static List<List<Prediction>> predictAll(Predictor predictor, List<Path> images) {
    return images.stream()
        .map(image -> {
          try {
            return predictor.predict(image, 10);
          } catch (IOException e) {
            throw new UncheckedIOException(e);
          }
        })
        .toList();
  }

  @Test
  void deltaAndBaseMakeTheModel() throws IOException {
    Path made = folder.resolve("made.onnx");
    Delta.apply(demo.backbone(), reference.delta().orElseThrow(), made);
    assertArrayEquals(referenceModel(), Files.readAllBytes(made));
  }

  @Test
  void sameSeedGivesTheSameBytesWhateverTheNumberOfThreads() throws IOException {
    assertArrayEquals(referenceModel(), model(demo.config(folder.resolve("one")).threads(1)));
    assertArrayEquals(referenceModel(), model(demo.config(folder.resolve("three")).threads(3)));
  }

  @Test
  void anotherSeedGivesAnotherModel() throws IOException {
    assertFalse(
        Arrays.equals(referenceModel(), model(demo.config(folder.resolve("other")).seed(1))));
  }

  @Test
  void aRunStoppedAtAnyMomentResumesToTheSameBytes() throws IOException {
    for (long stop : new long[] {1, 14, 20, 38}) {
      Path out = folder.resolve("stopped" + stop);
      assertThrows(
          Stopped.class,
          () -> Sidefade.adapt(demo.config(out).build(), new StopAt("training", stop)));
      assertArrayEquals(
          referenceModel(), model(demo.config(out).resume(true)), "stopped at step " + stop);
    }
  }

  @Test
  void whatUnlabelledRowsAreWorthIsMeasuredAndChangesNothing() throws IOException {
    AdaptResult result =
        quick(demo.config(folder.resolve("worth")).measureUnlabelled(true).build());
    assertArrayEquals(referenceModel(), Files.readAllBytes(result.model().orElseThrow()));
    double without =
        result.report().withoutUnlabelled(RunReport.TEST, RunReport.FADED).orElseThrow();
    double with = result.report().accuracy(RunReport.TEST, RunReport.FADED).orElseThrow();
    assertTrue(without > 0.7 && without != with, without + " and " + with);
  }

  @Test
  void aCheckpointOfOtherSettingsIsRefused() throws IOException {
    Path out = folder.resolve("out");
    assertThrows(
        Stopped.class, () -> Sidefade.adapt(demo.config(out).build(), new StopAt("training", 20)));
    BadInputException e =
        assertThrows(
            BadInputException.class,
            () ->
                Sidefade.adapt(
                    demo.config(out).resume(true).seed(7).build(),
                    new ProgressListener() {
                      @Override
                      public void phase(String name, long steps) {
                        throw new AssertionError(name + " began");
                      }
                    }));
    assertTrue(e.getMessage().contains("other settings"), e.getMessage());
  }

  @Test
  void aCheckpointOfOtherDataBesideTheModelIsRefused() throws IOException {
    Path backbone = folder.resolve("vit.onnx");
    OnnxModel.read(demo.backbone()).write(backbone, true);
    Path out = folder.resolve("out");
    assertThrows(
        Stopped.class,
        () ->
            Sidefade.adapt(
                demo.config(out).backbone(backbone).build(), new StopAt("training", 20)));
    Path data = folder.resolve("vit.onnx.data");
    byte[] bytes = Files.readAllBytes(data);
    byte[] other = bytes.clone();
    other[bytes.length / 2] ^= 1;
    Files.write(data, other);
    AdaptConfig resumed = demo.config(out).backbone(backbone).resume(true).build();
    BadInputException e = assertThrows(BadInputException.class, () -> quick(resumed));
    assertTrue(e.getMessage().contains("other settings"), e.getMessage());
    Files.write(data, bytes);
    assertTrue(quick(resumed).model().isPresent());
  }

  private AdaptConfig.Builder flowers(String train) {
    return AdaptConfig.builder()
        .backbone(demo.backbone())
        .train(train)
        .out(folder.resolve("out"))
        .tune(Tune.HEAD)
        .epochs(3)
        .batch(8)
        .threads(2);
  }

  @Test
  void aCheckpointOfOtherClassesIsRefused() throws IOException {
    FlowerFiles.make(folder, 8);
    Path train = folder.resolve("flowers").resolve("train");
    AdaptConfig.Builder config = flowers(train.toString());
    assertThrows(Stopped.class, () -> Sidefade.adapt(config.build(), new StopAt("training", 4)));
    Files.move(train.resolve("rose"), train.resolve("zinnia"));
    BadInputException e =
        assertThrows(BadInputException.class, () -> quick(config.resume(true).build()));
    assertTrue(e.getMessage().contains("other settings or examples"), e.getMessage());
  }

  @Test
  void imagesOfAListWithoutALabelJoinTheUnlabelledOnes() throws IOException {
    FlowerFiles.make(folder, 8);
    StringBuilder list = new StringBuilder();
    for (int i = 0; i < 8; i++) {
      // what has no label comes first: it must not be taken for labelled
      list.append("flowers/test/rose/").append(i).append(".png\n");
      list.append("flowers/train/rose/").append(i).append(".png 0\n");
      list.append("flowers/train/tulip/").append(i).append(".png 1\n");
    }
    Path file = Files.writeString(folder.resolve("train.txt"), list);
    Notes notes = new Notes();
    AdaptResult result = QuickRuns.adapt(flowers(file.toString()).build(), notes);
    assertTrue(
        notes.all().contains("8 training examples have no label and join the unlabelled ones."),
        notes.all().toString());
    assertTrue(result.report().withoutUnlabelled(RunReport.VAL, RunReport.FADED).isPresent());
  }

  @Test
  void theFolderOfTheBackboneIsNoOutputFolder() throws IOException {
    Path backbone = Files.copy(demo.backbone(), folder.resolve("model.onnx"));
    byte[] before = Files.readAllBytes(backbone);
    AdaptConfig.Builder config = demo.config(folder).backbone(backbone);
    for (boolean resume : new boolean[] {false, true}) {
      BadInputException e =
          assertThrows(BadInputException.class, () -> quick(config.resume(resume).build()));
      assertTrue(e.getMessage().contains("choose another"), e.getMessage());
      assertFalse(e.getMessage().contains("--resume"), e.getMessage());
    }
    assertArrayEquals(before, Files.readAllBytes(backbone));
  }

  @Test
  void aSideNetworkThatIsAheadForEverIsRefused() {
    BadInputException e =
        assertThrows(
            BadInputException.class,
            () -> demo.config(folder.resolve("ahead")).sideAhead(3).build());
    assertTrue(e.getMessage().contains("--side-ahead"), e.getMessage());
  }

  @Test
  void aBackboneWhoseTurnNeverComesIsRefused() {
    AdaptConfig.Builder config = demo.config(folder.resolve("turn")).sideAhead(1);
    BadInputException e =
        assertThrows(BadInputException.class, () -> quick(config.backboneEvery(5000).build()));
    assertTrue(e.getMessage().contains("first turn would be at step 5000 of"), e.getMessage());
  }

  @Test
  void whatDoesNotGoWithTheTaskIsRefused() {
    AdaptConfig.Builder texts =
        AdaptConfig.builder().backbone(folder).tokenizer(folder).train("t").out(folder);
    texts.task(TaskKind.REGRESSION);
    assertRefused("--flip and --shift change images", texts.flip(true));
    assertRefused("--flip and --shift change images", texts.flip(false).shift(1));
    assertRefused("label smoothing is for classes", texts.shift(0).labelSmoothing(0.1));
    AdaptConfig every = demo.config(folder.resolve("every")).readout(Pooling.TOKENS).build();
    BadInputException e = assertThrows(BadInputException.class, () -> quick(every));
    assertTrue(e.getMessage().contains("for classes of words"), e.getMessage());
  }

  private static void assertRefused(String says, AdaptConfig.Builder config) {
    BadInputException e = assertThrows(BadInputException.class, config::build);
    assertTrue(e.getMessage().contains(says), e.getMessage());
  }

  /** One that is larger than all examples: memory is for the rows that there are. */
  @Test
  void aBatchOfAllTakesNoMoreMemoryThanAllNeed() throws IOException {
    AdaptConfig.Builder config = demo.config(folder.resolve("all")).epochs(1).tune(Tune.HEAD);
    long exact = peak(config.side(SideKind.NONE).batch(800));
    assertEquals(exact, peak(config.out(folder.resolve("more")).batch(1_000_000_000)));
  }

  private static long peak(AdaptConfig.Builder config) throws IOException {
    return quick(config.build()).report().memoryBytes().getOrDefault(RunReport.TRAINING_PEAK, -1L);
  }

  /** Whether that is measured decides nothing of the model. */
  @Test
  void aRunGoesOnWithoutMeasuringUnlabelledRows() throws IOException {
    Path out = folder.resolve("measuring");
    AdaptConfig.Builder config = demo.config(out).measureUnlabelled(true);
    assertThrows(
        Stopped.class,
        () -> Sidefade.adapt(config.build(), new StopAt("training without unlabelled rows", 1)));
    AdaptResult result = quick(config.resume(true).measureUnlabelled(false).build());
    assertArrayEquals(referenceModel(), Files.readAllBytes(result.model().orElseThrow()));
    double trained =
        result.report().history().stream().mapToDouble(RunReport.EpochRow::seconds).sum();
    assertTrue(result.report().seconds() > trained, "the epochs of the first run count");
  }

  @Test
  void withTuneNoneTheBackboneKeepsItsBytes() throws IOException {
    byte[] before = Files.readAllBytes(demo.backbone());
    AdaptResult result = quick(demo.config(folder.resolve("none")).tune(Tune.NONE).build());
    assertArrayEquals(before, Files.readAllBytes(demo.backbone()));
    assertTrue(result.model().isEmpty() && result.delta().isEmpty());
    assertTrue(Files.exists(result.kept().orElseThrow()));
    assertTrue(result.report().accuracy(RunReport.TEST, RunReport.FADED).isEmpty());
  }

  @Test
  void everyPathMaskAndBlockKindTrains() throws IOException {
    List<AdaptConfig.Builder> configs =
        List.of(
            demo.config(folder.resolve("a"))
                .side(SideKind.ADAPTER)
                .sideWidth(16)
                .taps(List.of(0, 2, 4, 6))
                .logits(Direction.BACKBONE_TO_SIDE),
            demo.config(folder.resolve("b"))
                .features(Direction.BACKBONE_TO_SIDE)
                .maskRatio(0.5)
                .maskPlacement(MaskPlacement.INPUT)
                .maskSchedule(MaskSchedule.COSINE),
            demo.config(folder.resolve("c"))
                .features(Direction.SIDE_TO_BACKBONE)
                .maskRatio(0.3)
                .maskSchedule(MaskSchedule.LINEAR)
                .backboneEvery(2)
                .imitationWeight(0.1),
            demo.config(folder.resolve("d"))
                .side(SideKind.NONE)
                .labelSmoothing(0.1)
                .tune(Tune.HEAD)
                .logits(Direction.OFF),
            demo.config(folder.resolve("e")).flip(true).shift(2).patience(1).epochs(2));
    for (AdaptConfig.Builder config : configs) {
      AdaptResult result = quick(config.build());
      double faded = result.report().accuracy(RunReport.TEST, RunReport.FADED).orElseThrow();
      assertTrue(faded > 0.6, config.build().out().getFileName() + " reaches " + faded);
    }
  }

  @Test
  void withoutValidationSetSomeTrainingRowsAreHeldOut() throws IOException {
    AdaptConfig config =
        AdaptConfig.builder()
            .backbone(demo.backbone())
            .train(demo.images("labelled"))
            .out(folder.resolve("out"))
            .tune(Tune.FINAL_NORM)
            .epochs(2)
            .build();
    AdaptResult result = quick(config);
    assertTrue(result.report().accuracy(RunReport.VAL, RunReport.FADED).isPresent());
    assertTrue(result.report().accuracy(RunReport.TEST, RunReport.FADED).isEmpty());
  }

  @Test
  void aTreeOfClassFoldersTrains() throws IOException {
    Path tree = Files.createDirectory(folder.resolve("tree"));
    for (String name : List.of("bars", "dots")) {
      Path type = Files.createDirectory(tree.resolve(name));
      for (int i = 0; i < 12; i++) {
        ImageIO.write(picture(name.equals("bars"), i), "png", type.resolve(i + ".png").toFile());
      }
    }
    Files.writeString(tree.resolve("bars").resolve("broken.png"), "no picture");
    AdaptConfig config =
        AdaptConfig.builder()
            .backbone(demo.backbone())
            .train(tree.toString())
            .validation(tree.toString())
            .out(folder.resolve("out"))
            .tune(Tune.FINAL_NORM)
            .klAuto(false)
            .epochs(10)
            .batch(8)
            .build();
    AdaptResult result = quick(config);
    assertEquals(List.of("bars", "dots"), result.report().classNames());
    assertEquals(1.0, result.report().accuracy(RunReport.VAL, RunReport.FADED).orElseThrow());
    assertTrue(
        result.report().notes().stream().anyMatch(note -> note.contains("1 unreadable training")),
        result.report().notes().toString());
    try (Predictor predictor = Predictor.open(result.model().orElseThrow(), 1)) {
      List<Prediction> best = predictor.predict(tree.resolve("dots").resolve("3.png"), 1);
      assertEquals("dots", best.getFirst().label());
    }
  }

  private static BufferedImage picture(boolean bars, int i) {
    BufferedImage image = new BufferedImage(40, 32, BufferedImage.TYPE_INT_RGB);
    Graphics2D g = image.createGraphics();
    if (bars) {
      g.fillRect(4 + i, 2, 6, 28);
    } else {
      g.fillOval(4 + i, 12, 7, 7);
    }
    g.dispose();
    return image;
  }

  @Test
  void divergenceStopsWithTheStepAndKeepsTheCheckpoint() {
    Path out = folder.resolve("out");
    AdaptConfig config =
        demo.config(out).learningRateSide(1e38).clipNorm(0).warmupSteps(20).build();
    DivergedException e = assertThrows(DivergedException.class, () -> Sidefade.adapt(config));
    assertTrue(e.getMessage().contains("step"), e.getMessage());
    assertFalse(Files.exists(out.resolve("model.onnx")));
  }

  @Test
  void badInputIsRefusedBeforeAnythingIsWritten() throws IOException {
    Path full = Files.createDirectory(folder.resolve("full"));
    Files.writeString(full.resolve("thesis.txt"), "mine");
    refused(demo.config(full), "not empty");
    refused(demo.config(folder.resolve("a")).backbone(folder.resolve("no.onnx")), "no.onnx");
    refused(demo.config(folder.resolve("a")).train(folder.resolve("no").toString()), "no");
    refused(demo.config(folder.resolve("a")).taps(List.of(0, 9)), "tap 9");
    refused(demo.config(folder.resolve("a")).sideWidth(33), "33");
    refused(demo.config(folder.resolve("a")).device("abacus"), "abacus");
    refused(
        demo.config(folder.resolve("a")).gradientMode(GradientMode.TAPS).microBatch(4),
        "--micro-batch");
    refused(demo.config(folder.resolve("a")).train(demo.images("unlabelled")), "no labels");
    assertFalse(Files.exists(folder.resolve("a").resolve("model.onnx")));
  }

  private static void refused(AdaptConfig.Builder config, String mentions) {
    BadInputException e =
        assertThrows(BadInputException.class, () -> Sidefade.adapt(config.build()));
    assertTrue(e.getMessage().contains(mentions), e.getMessage());
  }
}
