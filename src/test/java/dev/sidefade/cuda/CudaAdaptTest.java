package dev.sidefade.cuda;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.sidefade.AdaptConfig;
import dev.sidefade.AdaptResult;
import dev.sidefade.Notes;
import dev.sidefade.ProgressListener;
import dev.sidefade.QuickRuns;
import dev.sidefade.Tune;
import dev.sidefade.backbone.TapMemory;
import dev.sidefade.report.RunReport;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/**
 * The whole way with the networks on the device and the backbone on the host, which hands features
 * over and gets gradients back. The export verifies itself: the model that ships computes what the
 * device computed.
 */
@ExtendWith(Emulation.class)
class CudaAdaptTest {
  @TempDir Path folder;

  /** Settings for a device. */
  private interface Settings {
    AdaptConfig.Builder of(Path folder, String device) throws IOException;
  }

  private RunReport adapt(Settings settings, String device) throws IOException {
    Path own = Files.createDirectory(folder.resolve(device));
    return QuickRuns.adapt(settings.of(own, device).build(), ProgressListener.SILENT).report();
  }

  @Test
  void learnsInsideTheBackboneAsTheCpuDoes() throws IOException {
    assertSame((own, device) -> QuickRuns.digits(own, device).tune(Tune.lowRank(2)));
  }

  @Test
  void learnsFromItselfAsOnTheCpu() throws IOException {
    assertSame(QuickRuns::texts);
  }

  private void assertSame(Settings settings) throws IOException {
    RunReport cpu = adapt(settings, "cpu");
    RunReport cuda = adapt(settings, "cuda");
    assertTrue(cuda.environment().get("device").startsWith("cuda"), cuda.environment().toString());
    List<RunReport.EpochRow> expected = cpu.history();
    assertEquals(expected.size(), cuda.history().size());
    for (int epoch = 0; epoch < expected.size(); epoch++) {
      RunReport.EpochRow row = cuda.history().get(epoch);
      expected
          .get(epoch)
          .losses()
          .forEach(
              (term, value) -> assertEquals(value, row.losses().get(term), 1e-3 * value, term));
    }
    assertEquals(
        cpu.accuracy(RunReport.VAL, RunReport.FADED).orElseThrow(),
        cuda.accuracy(RunReport.VAL, RunReport.FADED).orElseThrow(),
        0.01);
  }

  /** Images that change are run through the frozen backbone in every step. */
  @Test
  void saysWhichWayTheTapsOfChangingImagesGo() throws IOException {
    assumeTrue(TapMemory.cudaUnavailable().isPresent(), "this ONNX Runtime computes on GPUs");
    Notes notes = new Notes();
    AdaptConfig.Builder settings = QuickRuns.digits(folder, "cuda").tune(Tune.FINAL_NORM);
    AdaptResult result = QuickRuns.adapt(settings.flip(true).build(), notes);
    String reason = TapMemory.cudaUnavailable().get();
    assertEquals(
        List.of(
            "The frozen backbone runs on the CPU, and its taps go through host memory: "
                + reason
                + "."),
        notes.all().stream().filter(note -> note.contains("frozen backbone")).toList());
    assertTrue(
        result.report().history().getFirst().losses().values().stream().allMatch(Double::isFinite));
  }
}
