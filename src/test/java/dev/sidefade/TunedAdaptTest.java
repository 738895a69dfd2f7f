package dev.sidefade;

import static dev.sidefade.QuickRuns.model;
import static dev.sidefade.QuickRuns.quick;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import dev.sidefade.backbone.Backbone;
import dev.sidefade.export.Delta;
import dev.sidefade.onnx.OnnxModel;
import dev.sidefade.onnx.OnnxNode;
import dev.sidefade.report.RunReport;
import dev.sidefade.tensor.BadInputException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Constants inside the backbone learn, on the shipped backbone and digits. */
class TunedAdaptTest {
  @TempDir static Path shared;
  private static DemoFiles demo;
  private static AdaptResult reference;

  @TempDir Path folder;

  @BeforeAll
  static void adaptOnce() throws IOException {
    demo = new DemoFiles(Files.createDirectory(shared.resolve("data")));
    reference = quick(lowRank(shared.resolve("reference")));
  }

  private static AdaptConfig.Builder lowRank(Path out) {
    return demo.config(out).tune(Tune.lowRank(4)).klAuto(true).epochs(2).batch(32);
  }

  @Test
  void whatShipsIsTheBackboneWithOtherConstants() throws IOException {
    OnnxModel base = OnnxModel.read(demo.backbone());
    OnnxModel made = OnnxModel.read(reference.model().orElseThrow());
    List<String> nodes = base.graph().nodes().stream().map(OnnxNode::opType).toList();
    List<String> present = made.graph().nodes().stream().map(OnnxNode::opType).toList();
    // the read-out on [class token; mean] is new, everything before it is as it was
    int shared = nodes.lastIndexOf("LayerNormalization") + 1;
    assertEquals(nodes.subList(0, shared), present.subList(0, shared));
    assertTrue(present.size() - nodes.size() < 8, present.toString());
    try (Predictor faded = Predictor.open(reference.model().orElseThrow(), 1)) {
      assertEquals(
          reference.report().accuracy(RunReport.TEST, RunReport.FADED).orElseThrow(),
          faded.evaluate(demo.images("test"), true).accuracy());
    }
  }

  @Test
  void aSingleEpochWithoutATeacherIsNamed() throws IOException {
    Notes notes = new Notes();
    AdaptConfig.Builder config = demo.config(folder.resolve("one")).tune(Tune.FINAL_NORM);
    QuickRuns.adapt(config.klAuto(true).epochs(1).build(), notes);
    assertEquals(
        1,
        notes.all().stream().filter(note -> note.contains("there is one: neither teaches")).count(),
        notes.all().toString());
  }

  @Test
  void learnsMoreThanAProbeAndSaysWhatItKept() throws IOException {
    double faded = reference.report().accuracy(RunReport.TEST, RunReport.FADED).orElseThrow();
    assertTrue(faded > 0.85, "two epochs reach " + faded);
    JsonObject metrics =
        JsonParser.parseString(Files.readString(reference.metrics())).getAsJsonObject();
    long kept = metrics.getAsJsonObject("memory_bytes").get("activations_kept").getAsLong();
    assertTrue(kept > 5_000_000, "activations of a batch of 32: " + kept);
    long tuned = metrics.getAsJsonObject("parameters").get("tuned").getAsLong();
    try (Backbone backbone = Backbone.load(demo.backbone())) {
      long width = backbone.width(0);
      long norms = 2 * width * (2L * backbone.structure().blocks() + 1);
      // qkv, projection and both layers of the MLP: A [in, 4] and B [4, out]
      long lowRank = 6 * 4 * ((width + 3 * width) + (width + width) + 2 * (width + 4 * width));
      long head = 2 * width * 10 + 10;
      assertEquals(norms + lowRank + head, tuned);
    }
  }

  @Test
  void deltaAndBaseMakeTheModel() throws IOException {
    Path made = folder.resolve("made.onnx");
    Delta.apply(demo.backbone(), reference.delta().orElseThrow(), made);
    assertArrayEquals(model(reference), Files.readAllBytes(made));
    assertTrue(
        Files.size(reference.delta().orElseThrow()) < Files.size(demo.backbone()) / 10,
        "a delta holds A and B, not their product");
  }

  @Test
  void aStoppedRunResumesToTheSameBytes() throws IOException {
    Path out = folder.resolve("stopped");
    assertThrows(
        Stopped.class, () -> Sidefade.adapt(lowRank(out).build(), new StopAt("training", 30)));
    assertArrayEquals(model(reference), model(quick(lowRank(out).resume(true))));
  }

  @Test
  void everyWayToTuneTrainsAndFades() throws IOException {
    for (String tune : List.of("norms", "norms:2", "biases", "low-rank:2:3")) {
      AdaptConfig.Builder config =
          demo.config(folder.resolve(tune.replace(':', '-')))
              .tune(Tune.parse(tune))
              .side(SideKind.NONE)
              .epochs(1);
      AdaptResult result = quick(config);
      assertTrue(
          result.report().accuracy(RunReport.TEST, RunReport.FADED).orElseThrow() > 0.5, tune);
    }
  }

  @Test
  void theWayMemoryIsSavedHardlyChangesWhatIsLearned() throws IOException {
    double expected = reference.report().accuracy(RunReport.TEST, RunReport.FADED).orElseThrow();
    List<AdaptConfig.Builder> configs =
        List.of(
            lowRank(folder.resolve("taps")).gradientMode(GradientMode.TAPS),
            lowRank(folder.resolve("micro")).microBatch(12),
            lowRank(folder.resolve("tuned")).sideView(SideView.TUNED));
    for (AdaptConfig.Builder config : configs) {
      double reached =
          quick(config).report().accuracy(RunReport.TEST, RunReport.FADED).orElseThrow();
      assertEquals(expected, reached, 0.05, config.build().out().toString());
    }
  }

  @Test
  void moreBlocksThanThereAreAreRefused() {
    AdaptConfig.Builder config = demo.config(folder.resolve("many")).tune(Tune.parse("norms:9"));
    BadInputException e = assertThrows(BadInputException.class, () -> quick(config));
    assertTrue(e.getMessage().contains("9"), e.getMessage());
  }
}
