package dev.sidefade;

import static dev.sidefade.QuickRuns.model;
import static dev.sidefade.QuickRuns.quick;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.sidefade.distill.Direction;
import dev.sidefade.export.Safetensors;
import dev.sidefade.report.RunReport;
import dev.sidefade.tensor.BadInputException;
import dev.sidefade.train.KlRows;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Backbones that teach themselves, and words that are hidden from the student. */
class SelfTaughtTest {
  @TempDir static Path shared;
  private static TextFiles files;
  private static TextFiles.Sets sentiments;
  private static byte[] reference;

  @TempDir Path folder;

  @BeforeAll
  static void adaptOnce() throws IOException {
    files = new TextFiles(Files.createDirectory(shared.resolve("data")));
    sentiments = files.sentiments(120, 60);
    AdaptResult result = quick(config(shared.resolve("reference")));
    reference = model(result);
    RunReport report = result.report();
    assertTrue(
        report.accuracy(RunReport.TEST, RunReport.FADED).orElseThrow() > 0.9,
        report.measures().toString());
    assertFalse(report.history().getFirst().losses().isEmpty());
  }

  private static AdaptConfig.Builder config(Path out) throws IOException {
    return files
        .config(TaskKind.TEXT, "minilm_legacy11", sentiments, out)
        .unlabelled(files.unlabelled(100).toString())
        .measureUnlabelled(false)
        .side(SideKind.NONE)
        .teacher(TeacherKind.SELF)
        .tokenDropout(0.15)
        .klRows(KlRows.UNLABELLED)
        .klWeight(2);
  }

  /** From a third of three epochs on: the first knows no such loss, the others do. */
  @Test
  void theLossIsThereFromAThirdOn() throws IOException {
    RunReport report = quick(config(folder.resolve("o"))).report();
    assertEquals(3, report.history().size());
    assertFalse(report.history().get(0).losses().containsKey("backbone_kl"));
    assertTrue(report.history().get(1).losses().get("backbone_kl") > 0);
    assertTrue(report.history().get(2).losses().get("backbone_kl") > 0);
  }

  @Test
  void eachOfItsSettingsChangesTheModel() throws IOException {
    assertArrayEquals(reference, model(quick(config(folder.resolve("again")).threads(1))));
    AdaptConfig.Builder none = config(folder.resolve("none")).tokenDropout(0);
    AdaptConfig.Builder decay = config(folder.resolve("decay")).teacherAverage(0.5);
    AdaptConfig.Builder off = config(folder.resolve("off")).logits(Direction.OFF);
    for (AdaptConfig.Builder other : new AdaptConfig.Builder[] {none, decay, off}) {
      assertFalse(Arrays.equals(reference, model(quick(other))));
    }
  }

  @Test
  void aRunStoppedAtAnyMomentResumesToTheSameBytes() throws IOException {
    for (long stop : new long[] {3, 20, 41}) {
      Path out = folder.resolve("stopped" + stop);
      assertThrows(
          Stopped.class, () -> Sidefade.adapt(config(out).build(), new StopAt("training", stop)));
      assertArrayEquals(reference, model(quick(config(out).resume(true))), "step " + stop);
    }
  }

  private static Map<String, Safetensors.Entry> tensors(Path out) throws IOException {
    return Safetensors.read(out.resolve("delta.safetensors")).tensors();
  }

  /** The side network learns beside it, and does not teach. */
  @Test
  void aSideNetworkBesideItChangesNothing() throws IOException {
    AdaptResult both = quick(config(folder.resolve("both")).side(SideKind.TRANSFORMER));
    assertTrue(both.report().accuracy(RunReport.TEST, RunReport.SIDE).orElseThrow() > 0.8);
    assertTrue(both.kept().isPresent());
    // the model's card tells of the side network, so the files differ in that
    Map<String, Safetensors.Entry> expected = tensors(shared.resolve("reference"));
    Map<String, Safetensors.Entry> found = tensors(folder.resolve("both"));
    assertEquals(expected.keySet(), found.keySet());
    expected.forEach(
        (name, entry) -> assertArrayEquals(entry.values(), found.get(name).values(), name));
  }

  /** Hidden words keep their tags. */
  @Test
  void wordsWithTags() throws IOException {
    TextFiles.Sets names = files.names(150, 50);
    AdaptResult result =
        quick(
            files
                .config(TaskKind.TOKENS, "roberta_legacy17", names, folder.resolve("tags"))
                .side(SideKind.NONE)
                .teacher(TeacherKind.SELF)
                .tokenDropout(0.1)
                .epochs(8));
    double right = result.report().accuracy(RunReport.TEST, RunReport.FADED).orElseThrow();
    assertTrue(right > 0.8, result.report().measures().toString());
  }

  private String refusal(AdaptConfig.Builder config) {
    return assertThrows(BadInputException.class, () -> quick(config)).getMessage();
  }

  @Test
  void whatCannotBeIsRefused() throws IOException {
    Path out = folder.resolve("refused");
    String frozen = refusal(config(out).tune(Tune.FINAL_NORM));
    assertTrue(frozen.contains("tune final-norm leaves it as it is"), frozen);
    String direction = refusal(config(out).logits(Direction.BACKBONE_TO_SIDE));
    assertTrue(direction.contains("--logits backbone-to-side"), direction);
    String share = refusal(config(out).tokenDropout(1));
    assertTrue(share.contains("token dropout must be at least 0 and below 1, got 1.0"), share);
    AdaptConfig.Builder images =
        AdaptConfig.builder().backbone(out).train("t").out(out).tokenDropout(0.1);
    String task = refusal(images);
    assertTrue(task.contains("token dropout hides words of texts"), task);
    assertFalse(Files.exists(out));
  }
}
