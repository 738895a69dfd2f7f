package dev.sidefade.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Ctrl-C leaves no half-written file. */
class InterruptionTest {
  @TempDir private Path folder;

  /** Writes half a file and waits to be interrupted, in a virtual machine of its own. */
  static final class Victim {
    private Victim() {}

    public static void main(String[] args) throws Exception {
      Path folder = Path.of(args[0]);
      try (Interruption _ =
          new Interruption(folder, 3, new PrintWriter(System.err, true), "go on")) {
        Files.writeString(part(folder, ProcessHandle.current().pid()), "half");
        System.out.println("ready");
        Thread.sleep(60_000);
      }
    }
  }

  private static Path part(Path folder, long process) {
    return folder.resolve(".model.onnx." + process + ".part");
  }

  @Test
  void anInterruptedRunCleansUp() throws Exception {
    Process victim =
        new ProcessBuilder(
                ProcessHandle.current().info().command().orElseThrow(),
                "-cp",
                System.getProperty("java.class.path"),
                Victim.class.getName(),
                folder.toString())
            .start();
    try (BufferedReader out = victim.inputReader()) {
      assertEquals("ready", out.readLine());
      assertTrue(Files.exists(part(folder, victim.pid())));
      victim.destroy();
      assertTrue(victim.waitFor(20, TimeUnit.SECONDS));
      assertFalse(Files.exists(part(folder, victim.pid())));
      assertTrue(new String(victim.getErrorStream().readAllBytes()).contains("interrupted; go on"));
    } finally {
      victim.destroyForcibly();
    }
  }

  @Test
  void onlyTheOwnPartFilesAreDeleted() throws IOException {
    Path deep = Files.createDirectories(folder.resolve("a/b"));
    Path own = Files.writeString(part(deep, 7), "");
    Path others = Files.writeString(part(deep, 77), "");
    Path whole = Files.writeString(folder.resolve("model.onnx"), "");
    Path plain = Files.writeString(folder.resolve("notes.7.part"), "");
    Interruption.deletePartFiles(folder, 3, 7);
    assertFalse(Files.exists(own));
    assertTrue(Files.exists(others) && Files.exists(whole) && Files.exists(plain));
    Interruption.deletePartFiles(folder.resolve("nowhere"), 3, 7);
  }
}
