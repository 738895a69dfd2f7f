package dev.sidefade;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A process killed in the middle of training leaves a folder from which the run can go on. */
class KillTest {
  private static final int EPOCHS = 12;

  @TempDir Path folder;

  @Test
  void aKilledProcessResumesToTheSameBytes() throws IOException, InterruptedException {
    DemoFiles demo = new DemoFiles(Files.createDirectory(folder.resolve("data")));
    Path whole = folder.resolve("whole");
    AdaptResult expected =
        Sidefade.adapt(
            demo.config(whole).epochs(EPOCHS).build(), ProgressListener.SILENT, Duration.ZERO);

    Path out = folder.resolve("killed");
    Process process = start(demo, out);
    Path checkpoint = out.resolve("checkpoint.safetensors");
    while (process.isAlive() && !Files.exists(checkpoint)) {
      Thread.sleep(5);
    }
    assertTrue(process.isAlive(), "the process ended before it could be killed");
    process.destroyForcibly();
    assertTrue(process.waitFor(30, TimeUnit.SECONDS));
    assertFalse(Files.exists(out.resolve("model.onnx")), "killed too late to show anything");

    AdaptResult resumed =
        Sidefade.adapt(
            demo.config(out).epochs(EPOCHS).resume(true).build(),
            ProgressListener.SILENT,
            Duration.ZERO);
    assertArrayEquals(
        Files.readAllBytes(expected.model().orElseThrow()),
        Files.readAllBytes(resumed.model().orElseThrow()));
    assertArrayEquals(
        Files.readAllBytes(expected.kept().orElseThrow()),
        Files.readAllBytes(resumed.kept().orElseThrow()));
  }

  private Process start(DemoFiles demo, Path out) throws IOException {
    return new ProcessBuilder(
            List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "--enable-native-access=ALL-UNNAMED",
                "--add-modules",
                "jdk.incubator.vector",
                "-cp",
                System.getProperty(
                    "surefire.test.class.path", System.getProperty("java.class.path")),
                "dev.sidefade.cli.Main",
                "adapt",
                "--backbone",
                demo.backbone().toString(),
                "--train",
                demo.images("labelled"),
                "--unlabelled",
                demo.images("unlabelled"),
                "--val",
                demo.images("val"),
                "--test",
                demo.images("test"),
                "--readout",
                "cls+mean",
                "--tune",
                "final-norm",
                "--kl-weight",
                "1",
                "--no-measure-unlabelled",
                "--epochs",
                Integer.toString(EPOCHS),
                "--threads",
                "2",
                "--out",
                out.toString()))
        .redirectErrorStream(true)
        .redirectOutput(ProcessBuilder.Redirect.DISCARD)
        .start();
  }
}
