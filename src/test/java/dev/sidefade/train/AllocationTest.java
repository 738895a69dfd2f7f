package dev.sidefade.train;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * A training step at batch 64, 17 tokens, widths 128 and 32, 7 taps allocates next to nothing. In a
 * process of its own: what other tests do to the compiler's profiles decides whether it boxes
 * vectors.
 */
class AllocationTest {
  static final long LIMIT = 100_000;

  @TempDir Path folder;

  @Test
  void aStepAllocatesNextToNothing() throws IOException, InterruptedException {
    Path out = folder.resolve("out.txt");
    Process process =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "--enable-native-access=ALL-UNNAMED",
                "--add-modules",
                "jdk.incubator.vector",
                "-cp",
                System.getProperty(
                    "surefire.test.class.path", System.getProperty("java.class.path")),
                AllocationProbe.class.getName())
            .redirectError(ProcessBuilder.Redirect.DISCARD)
            .redirectOutput(out.toFile())
            .start();
    assertEquals(0, process.waitFor());
    long bytes = Long.parseLong(Files.readString(out).strip());
    assertTrue(bytes > 0 && bytes < LIMIT, bytes + " bytes per step");
  }
}
