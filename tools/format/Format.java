import com.google.googlejavaformat.java.Main;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/**
 * Runs google-java-format over all Java files under the given folders: {@code Format
 * --check|--apply FOLDER...}. Run from source by the build (see pom.xml) and by {@code ./format},
 * since the formatter itself takes only lists of files.
 */
final class Format {
  private Format() {}

  public static void main(String[] arguments) throws Exception {
    boolean check = arguments[0].equals("--check");
    List<String> command =
        new ArrayList<>(
            check ? List.of("--dry-run", "--set-exit-if-changed") : List.of("--replace"));
    for (int i = 1; i < arguments.length; i++) {
      addJavaFiles(Path.of(arguments[i]), command);
    }
    PrintWriter out = new PrintWriter(System.out, true);
    PrintWriter err = new PrintWriter(System.err, true);
    int code = new Main(out, err, System.in).format(command.toArray(String[]::new));
    if (code != 0 && check) {
      System.err.println("The files above are not formatted: run ./format and build again.");
    }
    System.exit(code);
  }

  /** Bindings that jextract wrote are kept as they came. */
  private static boolean generated(Path file) {
    return file.getParent().endsWith(Path.of("cuda", "ffi"));
  }

  private static void addJavaFiles(Path folder, List<String> files) throws IOException {
    if (!Files.isDirectory(folder)) {
      return;
    }
    try (Stream<Path> all = Files.walk(folder)) {
      all.filter(f -> f.toString().endsWith(".java") && !generated(f))
          .map(Path::toString)
          .sorted()
          .forEach(files::add);
    }
  }
}
