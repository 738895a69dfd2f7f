package dev.sidefade;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonParser;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import javax.tools.JavaCompiler;
import javax.tools.ToolProvider;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Tables and plots in the documents are what the results give: run {@code bench/tables} where they
 * are not. The renderer lies with the benchmarks and needs nothing but Gson.
 */
class BenchmarkTablesTest {
  private static final Path SOURCES =
      Path.of("bench", "src", "main", "java", "dev", "sidefade", "bench", "tables");

  @TempDir static Path compiled;
  @TempDir Path copy;

  @BeforeAll
  static void compile() throws IOException {
    JavaCompiler compiler = ToolProvider.getSystemJavaCompiler();
    assertNotNull(compiler, "tests run on a JDK");
    List<String> arguments = new ArrayList<>(List.of("-cp", gson(), "-d", compiled.toString()));
    try (Stream<Path> files = Files.list(SOURCES)) {
      files
          .filter(file -> file.toString().endsWith(".java"))
          .map(Path::toString)
          .forEach(arguments::add);
    }
    assertEquals(0, compiler.run(null, null, null, arguments.toArray(String[]::new)));
  }

  private static String gson() {
    return Path.of(JsonParser.class.getProtectionDomain().getCodeSource().getLocation().getPath())
        .toString();
  }

  private record Outcome(int code, String text) {}

  private static Outcome tables(String command, Path root)
      throws IOException, InterruptedException {
    Process process =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-cp",
                compiled + System.getProperty("path.separator") + gson(),
                "dev.sidefade.bench.tables.Tables",
                command,
                root.toString())
            .redirectErrorStream(true)
            .start();
    String text =
        new String(
            process.getInputStream().readAllBytes(), java.nio.charset.StandardCharsets.UTF_8);
    return new Outcome(process.waitFor(), text);
  }

  @Test
  void everyMarkedTableIsWhatItsResultsGive() throws IOException, InterruptedException {
    assertEquals(new Outcome(0, ""), tables("check", Path.of("")));
  }

  @Test
  void whatIsWrittenByHandIsFoundAndMended() throws IOException, InterruptedException {
    for (String folder : List.of("docs", "bench")) {
      copyTree(Path.of(folder));
    }
    Files.copy(Path.of("README.md"), copy.resolve("README.md"));
    Path document = copy.resolve("docs").resolve("benchmarks.md");
    String before = Files.readString(document);
    String row =
        before
            .lines()
            .filter(line -> line.matches("\\| .* 9[0-9]\\.[0-9] \\|.*"))
            .findFirst()
            .orElseThrow();
    String changed = before.replace(row, row.replaceFirst("9([0-9])\\.", "8$1."));
    assertNotEquals(before, changed);
    Files.writeString(document, changed);
    Files.writeString(copy.resolve("bench").resolve("results").resolve("forgotten.json"), "[]");

    Outcome found = tables("check", copy);
    assertEquals(1, found.code(), found.text());
    assertTrue(found.text().contains("wants " + row), found.text());
    assertTrue(found.text().contains("forgotten.json is named in no document"), found.text());

    assertEquals(1, tables("write", copy).code(), "the file that no document names is left");
    assertEquals(before, Files.readString(document));
  }

  /** Documents, results and plots. */
  private void copyTree(Path folder) throws IOException {
    List<Path> files;
    try (Stream<Path> all = Files.walk(folder)) {
      files =
          all.filter(file -> file.toString().matches(".*\\.(md|json|svg)"))
              .filter(file -> !file.startsWith(Path.of("bench", "target")))
              .toList();
    }
    for (Path file : files) {
      Path target = copy.resolve(file);
      Files.createDirectories(target.getParent());
      Files.copy(file, target);
    }
  }
}
