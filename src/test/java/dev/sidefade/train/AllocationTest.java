package dev.sidefade.train;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * A training step allocates next to nothing, whatever its size. In a process of its own: what other
 * tests do to the compiler's profiles decides whether it boxes vectors.
 */
class AllocationTest {
  static final long LIMIT = 100_000;

  @TempDir Path folder;

  @Test
  void aStepOfASmallVisionTransformer() throws IOException, InterruptedException {
    measure("64", "17", "128", "32", "7", "100");
  }

  @Test
  void aStepOfViTBase() throws IOException, InterruptedException {
    measure("8", "197", "768", "96", "13", "20");
  }

  private void measure(String... shape) throws IOException, InterruptedException {
    Path out = folder.resolve("out.txt");
    List<String> command = new ArrayList<>();
    command.addAll(
        List.of(
            Path.of(System.getProperty("java.home"), "bin", "java").toString(),
            "--enable-native-access=ALL-UNNAMED",
            "--add-modules",
            "jdk.incubator.vector",
            "-cp",
            System.getProperty("surefire.test.class.path", System.getProperty("java.class.path")),
            AllocationProbe.class.getName()));
    command.addAll(List.of(shape));
    Process process =
        new ProcessBuilder(command)
            .redirectError(ProcessBuilder.Redirect.DISCARD)
            .redirectOutput(out.toFile())
            .start();
    assertEquals(0, process.waitFor());
    long bytes = Long.parseLong(Files.readString(out).strip());
    assertTrue(bytes > 0 && bytes < LIMIT, bytes + " bytes per step");
  }
}
