package dev.sidefade.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.BufferedReader;
import java.io.File;
import java.io.IOException;
import java.io.PrintWriter;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
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
      PrintWriter err = new PrintWriter(System.err, true);
      try (Interruption _ = new Interruption(folder, 3, err, "go on")) {
        Files.writeString(part(folder, ProcessHandle.current().pid()), "half");
        System.out.println("ready");
        Thread.sleep(60_000);
      }
    }
  }

  private static String location(Class<?> type) throws URISyntaxException {
    return Path.of(type.getProtectionDomain().getCodeSource().getLocation().toURI()).toString();
  }

  private static Path part(Path folder, long process) {
    return folder.resolve(".model.onnx." + process + ".part");
  }

  @Test
  void anInterruptedRunCleansUp() throws Exception {
    Path err = folder.resolve("err.txt");
    Process victim =
        new ProcessBuilder(
                ProcessHandle.current().info().command().orElseThrow(),
                "-cp",
                location(Interruption.class) + File.pathSeparator + location(Victim.class),
                Victim.class.getName(),
                folder.toString())
            .redirectError(err.toFile())
            .start();
    try (BufferedReader out = victim.inputReader()) {
      assertEquals("ready", out.readLine());
      assertTrue(Files.exists(part(folder, victim.pid())));
      victim.destroy();
      assertTrue(victim.waitFor(20, TimeUnit.SECONDS));
      assertFalse(Files.exists(part(folder, victim.pid())));
      assertTrue(Files.readString(err).contains("interrupted; go on"));
    } finally {
      victim.destroyForcibly();
    }
  }

  @Test
  void onlyTheOwnPartFilesAreDeleted() throws IOException {
    Path deep = Files.createDirectories(folder.resolve("a/b"));
    Path own = Files.writeString(part(deep, 7), "");
    Path others = Files.writeString(part(deep, 77), "");
    List<Path> foldersOfOwn = new ArrayList<>();
    for (String name : List.of("", "c", "d", "e")) {
      Path made = Files.createDirectories(part(folder.resolve(name), 7));
      Files.writeString(made.resolve("model.onnx"), "half");
      Files.writeString(part(made, 7), "");
      foldersOfOwn.add(made);
    }
    Path whole = Files.writeString(folder.resolve("model.onnx"), "");
    Path plain = Files.writeString(folder.resolve("notes.7.part"), "");
    Interruption.deletePartFiles(folder, 3, 7);
    assertFalse(Files.exists(own));
    assertTrue(foldersOfOwn.stream().noneMatch(Files::exists), foldersOfOwn.toString());
    assertTrue(Files.exists(others) && Files.exists(whole) && Files.exists(plain));
    Interruption.deletePartFiles(folder.resolve("nowhere"), 3, 7);
  }
}
