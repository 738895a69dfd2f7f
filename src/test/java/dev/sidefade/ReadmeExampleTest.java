package dev.sidefade;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import javax.tools.JavaCompiler;
import javax.tools.ToolProvider;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * The README's programs, taken out of the README, compiled and run in a folder with the files that
 * they name.
 */
class ReadmeExampleTest {
  private static final Pattern PROGRAM =
      Pattern.compile("```java\\n(.*?class (\\w+) \\{.*?)```", Pattern.DOTALL);

  @TempDir Path folder;

  @Test
  void bothProgramsCompileAndRun() throws IOException, InterruptedException {
    List<String> names = new ArrayList<>();
    Matcher programs = PROGRAM.matcher(Files.readString(Path.of("README.md")));
    while (programs.find()) {
      names.add(programs.group(2));
      Files.writeString(folder.resolve(programs.group(2) + ".java"), programs.group(1));
    }
    assertEquals(List.of("Flowers", "Distil"), names);
    compile(names);
    makeFlowers();

    String flowers = run("Flowers");
    assertTrue(flowers.contains("test accuracy: 1.0"), flowers);
    assertTrue(flowers.lines().anyMatch(line -> line.matches("rose 0\\.[0-9]+")), flowers);
    assertTrue(Files.size(folder.resolve("flowers-model").resolve("model.onnx")) > 1_000_000);
    assertTrue(run("Distil").lines().count() >= 2);
  }

  private void compile(List<String> names) {
    JavaCompiler compiler = ToolProvider.getSystemJavaCompiler();
    assertNotNull(compiler, "tests run on a JDK");
    List<String> arguments = new ArrayList<>(List.of("-cp", classPath(), "-d", folder.toString()));
    names.forEach(name -> arguments.add(folder.resolve(name + ".java").toString()));
    assertEquals(0, compiler.run(null, null, null, arguments.toArray(String[]::new)));
  }

  private static String classPath() {
    return System.getProperty("surefire.test.class.path", System.getProperty("java.class.path"));
  }

  private void makeFlowers() throws IOException {
    new DemoFiles(folder);
    Files.move(folder.resolve("vit28p7d128.onnx"), folder.resolve("vit.onnx"));
    FlowerFiles.make(folder, 20);
  }

  private String run(String program) throws IOException, InterruptedException {
    Path out = folder.resolve(program + ".txt");
    Process process =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "--enable-native-access=ALL-UNNAMED",
                "--add-modules",
                "jdk.incubator.vector",
                "-cp",
                folder + System.getProperty("path.separator") + classPath(),
                program)
            .directory(folder.toFile())
            .redirectErrorStream(true)
            .redirectOutput(out.toFile())
            .start();
    int code = process.waitFor();
    String printed = Files.readString(out);
    assertEquals(0, code, printed);
    return printed;
  }
}
