package dev.sidefade;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import dev.sidefade.distill.Direction;
import dev.sidefade.distill.MaskSchedule;
import dev.sidefade.export.Precision;
import dev.sidefade.kernels.MaskPlacement;
import dev.sidefade.kernels.Pooling;
import dev.sidefade.onnx.OnnxModel;
import dev.sidefade.report.CompareReport;
import dev.sidefade.tensor.BadInputException;
import dev.sidefade.train.KlRows;
import java.io.IOException;
import java.lang.reflect.RecordComponent;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Comparisons: what is run, what is not run again, what is left after a kill. */
class ComparisonTest {
  @TempDir private Path folder;

  private AdaptConfig.Builder shared() {
    return AdaptConfig.builder().backbone(Path.of("b.onnx")).train("t").out(folder.resolve("o"));
  }

  private CompareResult run(PretendedRuns runs, CompareConfig config) throws IOException {
    return Comparison.run(config, ProgressListener.SILENT, runs);
  }

  private CompareConfig config(Long... seeds) {
    return CompareConfig.of(shared().build(), List.of(seeds));
  }

  @Test
  void variantsAreTheStudys() throws IOException {
    PretendedRuns runs = new PretendedRuns(c -> 0.5);
    AdaptConfig base =
        shared().features(Direction.BACKBONE_TO_SIDE).klWeight(0.5).labelSmoothing(0.05).build();
    run(runs, CompareConfig.of(base, List.of(4L)));
    List<AdaptConfig> all = runs.asked();
    assertEquals(
        List.of(
            "head", "norms", "norms", "none", "norms", "low-rank:4", "low-rank:4", "low-rank:4"),
        all.stream().map(c -> c.tune().toString()).toList());
    assertEquals(
        List.of(
            "NONE", "NONE", "NONE", "TRANSFORMER", "TRANSFORMER", "NONE", "TRANSFORMER", "NONE"),
        all.stream().map(c -> c.side().name()).toList());
    for (AdaptConfig config : all) {
      boolean taught = config.side() != SideKind.NONE && config.tune().kind() != Tune.Kind.NONE;
      boolean itself = config.equals(all.getLast());
      assertEquals(taught || itself ? base.logits() : Direction.OFF, config.logits());
      assertEquals(itself ? TeacherKind.SELF : TeacherKind.SIDE, config.teacher());
      assertEquals(taught ? base.features() : Direction.OFF, config.features());
      assertEquals(config.equals(all.get(2)) ? 0.1 : 0.05, config.labelSmoothing());
      assertEquals(0.5, config.klWeight());
      assertEquals(4, config.seed());
      assertFalse(config.resume());
    }
    assertEquals(folder.resolve("o/norms-smoothing/seed-4"), all.get(2).out());
  }

  @Test
  void blocksRankAndKindOfSideNetworkAreThoseOfTheOptions() throws IOException {
    PretendedRuns runs = new PretendedRuns(c -> 0.5);
    AdaptConfig base =
        shared().tune(Tune.lowRank(8).inLastBlocks(2)).side(SideKind.ADAPTER).build();
    run(runs, CompareConfig.of(base, List.of(0L)));
    assertEquals("norms:2", runs.asked().get(1).tune().toString());
    assertEquals("low-rank:8:2", runs.asked().get(6).tune().toString());
    assertEquals("low-rank:8:2", runs.asked().get(7).tune().toString());
    assertEquals(SideKind.ADAPTER, runs.asked().get(3).side());
    AdaptConfig none = shared().tune(Tune.HEAD).side(SideKind.NONE).build();
    assertEquals(SideKind.TRANSFORMER, CompareVariant.FADED_NORMS.of(none, 0, folder).side());
    assertEquals(Tune.lowRank(4), CompareVariant.FADED_LOW_RANK.of(none, 0, folder).tune());
  }

  /** The weight and the rows that were measured, unless others are asked for. */
  @Test
  void whatABackboneHearsOfItself() {
    AdaptConfig images = shared().klAuto(true).build();
    AdaptConfig plain = CompareVariant.SELF_TAUGHT.of(images, 0, folder);
    assertTrue(plain.klAuto());
    assertEquals(KlRows.ALL, plain.klRows());
    assertEquals(0, plain.tokenDropout());
    AdaptConfig more = shared().klAuto(true).unlabelled("u").build();
    AdaptConfig usual = CompareVariant.SELF_TAUGHT.of(more, 0, folder);
    assertFalse(usual.klAuto());
    assertEquals(4, usual.klWeight());
    assertEquals(KlRows.UNLABELLED, usual.klRows());
    AdaptConfig.Builder texts =
        shared().task(TaskKind.TEXT).tokenizer(Path.of("t")).unlabelled("u").klAuto(false);
    AdaptConfig asked = CompareVariant.SELF_TAUGHT.of(texts.klWeight(0.5).build(), 0, folder);
    assertEquals(0.5, asked.klWeight());
    assertEquals(KlRows.ALL, asked.klRows());
    assertEquals(0.15, asked.tokenDropout());
    AdaptConfig given = texts.tokenDropout(0.3).build();
    assertEquals(0.3, CompareVariant.SELF_TAUGHT.of(given, 0, folder).tokenDropout());
  }

  @Test
  void meansAndDeviationsAreOverTheSeeds() throws IOException {
    PretendedRuns runs = new PretendedRuns(c -> 0.5 + c.seed() / 10.0);
    CompareReport report = run(runs, config(0L, 1L, 2L)).report();
    CompareReport.Variant norms = report.variants().get(1);
    assertEquals("norms-ce", norms.name());
    assertEquals(0.6, norms.score("test").mean(), 1e-12);
    assertEquals(0.1, norms.score("test").deviation(), 1e-12);
    assertEquals(1000, norms.parameters().mean());
    assertEquals(11, norms.seconds().mean());
    assertEquals(2, norms.latency("batch1").mean());
    CompareReport.Variant kept = report.variants().get(3);
    assertEquals(7000, kept.parameters().mean());
    assertEquals(3, kept.latency("batch1").mean());
    assertTrue(report.isWhole());
  }

  @Test
  void finishedRunsAreNotRepeatedAndStartedOnesResumed() throws IOException {
    PretendedRuns killed = new PretendedRuns(c -> 0.5).killedAfter(9);
    CompareConfig config = config(0L, 1L);
    assertThrows(IOException.class, () -> run(killed, config));
    assertEquals(10, killed.asked().size());
    JsonObject partial = json();
    assertEquals(9, partial.get("runs_finished").getAsInt());
    assertEquals(16, partial.get("runs_wanted").getAsInt());
    assertTrue(
        Files.readString(folder.resolve("o/compare.md")).contains("9 of 16 runs are finished"));
    assertTrue(Files.readString(folder.resolve("o/compare.html")).contains("9 of 16 runs"));

    PretendedRuns more = new PretendedRuns(c -> 0.5);
    assertTrue(run(more, config).report().isWhole());
    assertEquals(7, more.asked().size());
    assertTrue(more.asked().getFirst().resume(), "a started run is resumed");
    assertFalse(more.asked().get(1).resume(), "a new run is not");
    assertEquals(killed.asked().getLast().out(), more.asked().getFirst().out());

    PretendedRuns none = new PretendedRuns(c -> 0.5);
    assertTrue(run(none, config).report().isWhole());
    assertEquals(List.of(), none.asked());
  }

  /** Another backbone under the same path must not be compared with the first. */
  @Test
  void finishedRunsOfAnotherBackboneAreRefused() throws IOException {
    Path backbone = new DemoFiles(folder).backbone();
    OnnxModel model = OnnxModel.read(backbone);
    CompareConfig config = CompareConfig.of(shared().backbone(backbone).build(), List.of(0L));
    run(new PretendedRuns(c -> 0.5).ofTheFiles(), config);
    PretendedRuns again = new PretendedRuns(c -> 0.5);
    run(again, config);
    assertEquals(List.of(), again.asked());

    model.metadata().put("another", "one");
    model.write(backbone);
    BadInputException refusal = assertThrows(BadInputException.class, () -> run(again, config));
    assertTrue(refusal.getMessage().contains("was made with other files"), refusal.getMessage());
    assertTrue(refusal.getMessage().contains("backbone_sha256 was "), refusal.getMessage());
    assertEquals(List.of(), again.asked());
  }

  /** Wherever it is killed, going on gives the files of a comparison that was never killed. */
  @Test
  void aKilledComparisonEndsAsOneThatWasNot() throws IOException {
    CompareConfig config =
        new CompareConfig(
            shared().build(),
            List.of(3L, 1L),
            List.of(CompareVariant.FADED_NORMS, CompareVariant.NORMS_CE));
    run(new PretendedRuns(c -> 0.25 + c.seed() / 8.0), config);
    String whole = Files.readString(folder.resolve("o/compare.json"));
    for (int runs = 0; runs < 4; runs++) {
      Path out = folder.resolve("killed" + runs);
      CompareConfig again =
          new CompareConfig(shared().out(out).build(), config.seeds(), config.variants());
      PretendedRuns killed = new PretendedRuns(c -> 0.25 + c.seed() / 8.0).killedAfter(runs);
      assertThrows(IOException.class, () -> run(killed, again));
      assertEquals(runs > 0, Files.exists(out.resolve("compare.json")));
      run(new PretendedRuns(c -> 0.25 + c.seed() / 8.0), again);
      assertEquals(whole, Files.readString(out.resolve("compare.json")));
    }
  }

  @Test
  void seedsStayInTheirOrderWhateverWasFinishedFirst() throws IOException {
    run(new PretendedRuns(c -> 0.5), config(1L));
    CompareReport report = run(new PretendedRuns(c -> 0.5), config(0L, 1L)).report();
    assertEquals(
        List.of(0L, 1L), report.variants().getFirst().runs().stream().map(r -> r.seed()).toList());
  }

  @Test
  void runsWithOtherSettingsAreRefusedBeforeAnythingRuns() throws IOException {
    run(new PretendedRuns(c -> 0.5), config(0L));
    PretendedRuns runs = new PretendedRuns(c -> 0.5);
    CompareConfig other =
        CompareConfig.of(shared().epochs(7).temperature(3).build(), List.of(1L, 0L));
    BadInputException e = assertThrows(BadInputException.class, () -> run(runs, other));
    assertTrue(e.getMessage().contains("epochs was 40, is 7"), e.getMessage());
    assertTrue(e.getMessage().contains("temperature was 2.0, is 3.0"), e.getMessage());
    assertEquals(List.of(), runs.asked());
    // these decide no result
    run(runs, CompareConfig.of(exporting(shared().threads(3).strict(true)).build(), List.of(0L)));
    assertEquals(List.of(), runs.asked());
  }

  private static AdaptConfig.Builder exporting(AdaptConfig.Builder config) {
    return config.precision(List.of(Precision.INT8)).opset(13).ort(true);
  }

  /** Variants are compared, and what would ship of them in other forms is another question. */
  @Test
  void variantsExportNothingElse() {
    AdaptConfig shared = exporting(shared()).build();
    for (CompareVariant variant : CompareVariant.values()) {
      AdaptConfig config = variant.of(shared, 1, folder);
      assertEquals(List.of(Precision.FP32), config.precision());
      assertTrue(config.opset().isEmpty() && !config.ort());
    }
  }

  @Test
  void foldersOfSomethingElseAreRefused() throws IOException {
    Path out = Files.createDirectories(folder.resolve("o"));
    Path mine = Files.writeString(out.resolve("mine.txt"), "mine");
    PretendedRuns runs = new PretendedRuns(c -> 0.5);
    BadInputException e = assertThrows(BadInputException.class, () -> run(runs, config(0L)));
    assertTrue(e.getMessage().contains("mine.txt"), e.getMessage());
    Files.delete(mine);
    run(runs, config(0L));
    Path metrics = out.resolve("norms-ce/seed-0/metrics.json");
    Files.writeString(metrics, Files.readString(metrics).substring(0, 200));
    e = assertThrows(BadInputException.class, () -> run(runs, config(0L)));
    assertTrue(e.getMessage().contains(metrics.toString()), e.getMessage());
    Path file = Files.writeString(folder.resolve("file"), "");
    CompareConfig onFile = CompareConfig.of(shared().out(file).build(), List.of(0L));
    assertThrows(BadInputException.class, () -> run(runs, onFile));
  }

  @Test
  void aBadInputLeavesNothing() {
    Comparison.Runner refusing =
        (config, progress) -> {
          throw new BadInputException("the backbone does not exist");
        };
    assertThrows(
        BadInputException.class,
        () -> Comparison.run(config(0L), ProgressListener.SILENT, refusing));
    assertFalse(Files.exists(folder.resolve("o")));
  }

  @Test
  void seedsAndVariantsMustBeDifferent() {
    AdaptConfig shared = shared().build();
    List<CompareVariant> one = List.of(CompareVariant.NORMS_CE);
    for (List<Long> seeds : List.of(List.<Long>of(), List.of(1L, 1L))) {
      assertThrows(BadInputException.class, () -> new CompareConfig(shared, seeds, one));
    }
    assertThrows(BadInputException.class, () -> new CompareConfig(shared, List.of(1L), List.of()));
    assertThrows(BadInputException.class, () -> CompareVariant.parse("norms"));
    for (CompareVariant variant : CompareVariant.values()) {
      assertEquals(variant, CompareVariant.parse(variant.text()));
    }
  }

  /** A setting that is added to the configuration must be copied too. */
  @Test
  void everySettingIsCopied() throws ReflectiveOperationException {
    AdaptConfig all = allDifferent();
    AdaptConfig defaults = images().build();
    // texts cannot be flipped, nor images lose words
    AdaptConfig changed = images().flip(true).shift(19).build();
    for (RecordComponent component : AdaptConfig.class.getRecordComponents()) {
      AdaptConfig other = Set.of("flip", "shift").contains(component.getName()) ? changed : all;
      assertNotEquals(
          component.getAccessor().invoke(defaults),
          component.getAccessor().invoke(other),
          component.getName() + " is not looked at by this test");
    }
    assertEquals(all, CompareSettings.copyOf(all).build());
    assertEquals(changed, CompareSettings.copyOf(changed).build());
    assertEquals(defaults, CompareSettings.copyOf(defaults).build());
  }

  private static AdaptConfig.Builder images() {
    return AdaptConfig.builder().backbone(Path.of("-")).train("-").out(Path.of("-"));
  }

  private static AdaptConfig allDifferent() {
    return exporting(AdaptConfig.builder())
        .backbone(Path.of("b"))
        .task(TaskKind.TEXT)
        .tokenizer(Path.of("t"))
        .maxLength(3)
        .train("t")
        .unlabelled("u")
        .validation("v")
        .test("w")
        .out(Path.of("o"))
        .tune(Tune.NORMS)
        .readout(Pooling.MEAN)
        .side(SideKind.ADAPTER)
        .sideWidth(8)
        .taps(List.of(1))
        .sideView(SideView.TUNED)
        .features(Direction.BACKBONE_TO_SIDE)
        .shallow(List.of(1))
        .deep(List.of(2))
        .generationRatio(0.25)
        .imitationWeight(2)
        .generationWeight(3)
        .alignmentRank(4)
        .logits(Direction.OFF)
        .temperature(5)
        .klWeight(6)
        .klAuto(false)
        .klRows(KlRows.SURE)
        .teacher(TeacherKind.SELF)
        .teacherAverage(0.5)
        .sideAhead(2)
        .measureUnlabelled(false)
        .maskRatio(0.5)
        .maskPlacement(MaskPlacement.INPUT)
        .maskSchedule(MaskSchedule.COSINE)
        .epochs(7)
        .batch(8)
        .learningRateSide(9)
        .learningRateHead(10)
        .learningRateNorm(11)
        .learningRateLowRank(12)
        .gradientMode(GradientMode.TAPS)
        .microBatch(13)
        .weightDecay(14)
        .warmupSteps(15)
        .clipNorm(16)
        .labelSmoothing(0.75)
        .backboneEvery(17)
        .patience(18)
        .tokenDropout(0.25)
        .mean(List.of(0.1))
        .std(List.of(0.2))
        .strict(true)
        .seed(20)
        .device("cpu")
        .threads(21)
        .resume(true)
        .build();
  }

  private JsonObject json() throws IOException {
    return JsonParser.parseString(Files.readString(folder.resolve("o/compare.json")))
        .getAsJsonObject();
  }
}
