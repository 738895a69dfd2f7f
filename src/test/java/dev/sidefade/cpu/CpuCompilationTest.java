package dev.sidefade.cpu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.sidefade.kernels.CallBits;
import java.io.File;
import java.io.IOException;
import java.net.URI;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Interpreted code and compiled code give the same bits. This is not a matter of course: the Vector
 * API leaves the order of a floating-point reduceLanes open, and it differs between the interpreter
 * and the compiler. A training run would then depend on when the compiler was ready.
 */
class CpuCompilationTest {
  @Test
  void theCompilerIsToldToKeepVectorLoopsApart() {
    assertTrue(InlineDirectives.installed());
  }

  @TempDir Path folder;

  @Test
  void interpretedAndCompiledCodeGiveTheSameBits() throws Exception {
    List<String> interpreted = bits("interpreted", 0, "-Xint");
    List<String> compiled = bits("compiled", 3000);
    assertTrue(interpreted.size() > 30, "operations: " + interpreted);
    for (int i = 0; i < interpreted.size(); i++) {
      assertEquals(interpreted.get(i), compiled.get(i));
    }
    assertEquals(interpreted.size(), compiled.size());
  }

  private List<String> bits(String name, int warmUp, String... options)
      throws IOException, InterruptedException {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(List.of(options));
    command.addAll(
        List.of(
            "--add-modules",
            "jdk.incubator.vector",
            "--enable-native-access=ALL-UNNAMED",
            "-cp",
            classPath(),
            CallBits.class.getName(),
            "cpu",
            "1",
            Integer.toString(warmUp)));
    Path out = folder.resolve(name + ".out");
    Path err = folder.resolve(name + ".err");
    Process process =
        new ProcessBuilder(command)
            .redirectOutput(out.toFile())
            .redirectError(err.toFile())
            .start();
    try {
      assertTrue(process.waitFor(120, TimeUnit.SECONDS), name + " did not end");
    } finally {
      process.destroyForcibly();
    }
    assertEquals(0, process.exitValue(), () -> read(err));
    return read(out).lines().toList();
  }

  /** Of this process, also where a launcher loads the tests by a class loader of its own. */
  private static String classPath() {
    List<String> entries = new ArrayList<>();
    if (CallBits.class.getClassLoader() instanceof URLClassLoader loader) {
      for (URL url : loader.getURLs()) {
        entries.add(Path.of(URI.create(url.toString())).toString());
      }
    }
    entries.add(System.getProperty("java.class.path"));
    return String.join(File.pathSeparator, entries);
  }

  private static String read(Path file) {
    try {
      return Files.readString(file, StandardCharsets.UTF_8);
    } catch (IOException e) {
      return e.toString();
    }
  }
}
