package dev.sidefade.cuda;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.io.StringWriter;
import java.lang.reflect.InvocationTargetException;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import javax.tools.JavaCompiler;
import javax.tools.StandardJavaFileManager;
import javax.tools.ToolProvider;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/** The example for people who bring device pointers and a stream of their own. */
@ExtendWith(Emulation.class)
class EmbeddingExampleTest {
  private static final Path SOURCE = Path.of("examples", "embedding", "Embedding.java");

  @Test
  void compilesRunsAndLeavesNothingBehind(@TempDir Path classes) throws Exception {
    compile(classes);
    String printed = run(classes);
    for (String part :
        List.of("logit distillation", "cross-entropy", "T^2 KL", "feature matching", "dUp")) {
      assertTrue(printed.contains(part), printed);
    }
    assertEquals(7, printed.split("plain loop", -1).length - 1, printed);
    assertEquals(List.of(), Emulation.forgotten());
  }

  @Test
  void needsNoTraining() throws IOException {
    Set<String> rooms = new TreeSet<>();
    Matcher imports =
        Pattern.compile("\\bdev\\.sidefade\\.([a-z.]+)\\.[A-Z]").matcher(Files.readString(SOURCE));
    while (imports.find()) {
      rooms.add(imports.group(1));
    }
    assertEquals(Set.of("cuda", "cuda.embed", "kernels", "tensor"), rooms);
  }

  private static void compile(Path classes) throws IOException {
    JavaCompiler compiler = ToolProvider.getSystemJavaCompiler();
    StringWriter messages = new StringWriter();
    List<String> options =
        List.of(
            "-Xlint:all",
            "-Werror",
            "-proc:none",
            "-cp",
            System.getProperty("surefire.test.class.path", System.getProperty("java.class.path")),
            "-d",
            classes.toString());
    try (StandardJavaFileManager files =
        compiler.getStandardFileManager(null, null, StandardCharsets.UTF_8)) {
      boolean compiled =
          compiler
              .getTask(messages, files, null, options, null, files.getJavaFileObjects(SOURCE))
              .call();
      assertTrue(compiled, messages.toString());
    }
  }

  /** Runs it in this process and returns what it printed. */
  private static String run(Path classes) throws Exception {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    PrintStream before = System.out;
    try (URLClassLoader loader =
            new URLClassLoader(
                new URL[] {classes.toUri().toURL()}, EmbeddingExampleTest.class.getClassLoader());
        PrintStream out = new PrintStream(bytes, true, StandardCharsets.UTF_8)) {
      System.setOut(out);
      Class<?> example = loader.loadClass("Embedding");
      example.getMethod("main", String[].class).invoke(null, (Object) new String[0]);
    } catch (InvocationTargetException e) {
      throw new AssertionError("the example failed after: " + bytes, e.getCause());
    } finally {
      System.setOut(before);
    }
    return bytes.toString(StandardCharsets.UTF_8);
  }
}
