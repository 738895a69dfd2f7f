package dev.sidefade.bench.tables;

import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * Writes tables and plots of the documents from the results.
 *
 * <pre>
 *   Tables write ROOT              rewrites what stands between markers, and the plots
 *   Tables check ROOT              prints what differs or is missing; exit status 1 if anything does
 *   Tables unmarked ROOT           lists rows with figures in README.md and docs/benchmarks.md that
 *                                  stand outside of markers
 *   Tables show FILE.json... KIND  prints one table
 * </pre>
 *
 * <p>Markers are {@code <!-- table: FILE.json KIND -->} with {@code <!-- end -->} behind the table,
 * and {@code <!-- plot: FILE.json KIND images/NAME.svg -->}, files under {@code bench/results},
 * images beside the document. A marker begins its line.
 */
public final class Tables {
  private static final Pattern TABLE =
      Pattern.compile(
          "^(<!-- table:(.*?)-->\n)(.*?)(<!-- end -->)", Pattern.DOTALL | Pattern.MULTILINE);
  private static final Pattern PLOT =
      Pattern.compile("^<!-- plot:(.*?)-->", Pattern.DOTALL | Pattern.MULTILINE);
  private static final Pattern FIGURE = Pattern.compile("\\| [*]*[0-9]+\\.[0-9]");
  private static final Pattern OPENED = Pattern.compile("^<!-- table:", Pattern.MULTILINE);

  private final Path root;
  private final Path results;
  private final boolean check;
  private final List<String> wrong = new ArrayList<>();

  private Tables(Path root, boolean check) {
    this.root = root;
    this.results = root.resolve("bench/results");
    this.check = check;
  }

  /**
   * Exit status: 0 done, 1 the check found something, 2 wrong use or a table that cannot be made.
   */
  public static void main(String[] arguments) throws IOException {
    PrintStream out = new PrintStream(System.out, true, StandardCharsets.UTF_8);
    PrintStream err = new PrintStream(System.err, true, StandardCharsets.UTF_8);
    try {
      System.exit(run(arguments, out));
    } catch (TableException e) {
      err.println("tables: " + e.getMessage());
      System.exit(2);
    }
  }

  static int run(String[] arguments, PrintStream out) throws IOException {
    String command = arguments.length > 1 ? arguments[0] : "";
    switch (command) {
      case "show" -> {
        String marker = String.join(" ", List.of(arguments).subList(1, arguments.length));
        table(Block.parse(Path.of(""), marker)).forEach(out::println);
        return 0;
      }
      case "write", "check" -> {
        Tables tables = new Tables(Path.of(arguments[1]), command.equals("check"));
        tables.all();
        tables.wrong.forEach(out::println);
        return tables.wrong.isEmpty() ? 0 : 1;
      }
      case "unmarked" -> {
        unmarked(Path.of(arguments[1])).forEach(out::println);
        return 0;
      }
      default ->
          throw new TableException(
              "expected write ROOT, check ROOT, unmarked ROOT or show FILE.json KIND");
    }
  }

  /**
   * Rows of tables with a measured figure, that is one with a decimal point, outside of markers.
   */
  private static List<String> unmarked(Path root) throws IOException {
    List<String> found = new ArrayList<>();
    for (String name : List.of("README.md", "docs/benchmarks.md")) {
      String text = TABLE.matcher(Files.readString(root.resolve(name))).replaceAll("");
      text.lines()
          .filter(line -> line.startsWith("|") && FIGURE.matcher(line).find())
          .forEach(line -> found.add(name + ": " + line));
    }
    return found;
  }

  /** The lines of a table. */
  static List<String> table(Block block) throws IOException {
    return switch (block.kind()) {
      case "operations" -> JmhTable.lines(block);
      case "step" -> TurnsTable.lines(block);
      case "gradients-shipped" -> GradientTable.shipped(block);
      case "gradients-depth" -> GradientTable.byDepth(block);
      case "launch" -> LaunchTable.lines(block);
      case "fuzz" -> FuzzTable.lines(block);
      case "seeds" -> SeedTable.chosen(block);
      case "inside-tuning" -> SeedTable.all(block);
      case "latency" -> RunTables.latency(block);
      case "inference" -> RunTables.inference(block);
      case "demo" -> RunTables.demo(block);
      case "compare" -> RunTables.compare(block);
      case "peer-operations" -> PeerTable.operations(block);
      case "peer-steps" -> PeerTable.steps(block);
      default -> throw new TableException("there is no kind of table " + block.kind());
    };
  }

  private static List<String> plot(Block block) throws IOException {
    return switch (block.kind()) {
      case "step" -> Plots.steps(block);
      case "gradients-depth" -> Plots.kept(block);
      case "latency" -> Plots.latency(block);
      default -> throw new TableException("there is no kind of plot " + block.kind());
    };
  }

  private void all() throws IOException {
    StringBuilder named = new StringBuilder();
    for (Path document : documents()) {
      String text = Files.readString(document);
      named.append(text);
      String rendered = rendered(document, text);
      if (!rendered.equals(text)) {
        if (check) {
          wrong.add(difference(document, text, rendered));
        } else {
          Files.writeString(document, rendered);
        }
      }
    }
    try (Stream<Path> files = Files.list(results)) {
      for (Path file : files.sorted().toList()) {
        String name = file.getFileName().toString();
        if (named.indexOf(name) < 0) {
          wrong.add("bench/results/" + name + " is named in no document");
        }
      }
    }
  }

  private List<Path> documents() throws IOException {
    List<Path> documents = new ArrayList<>(List.of(root.resolve("README.md")));
    for (String folder : List.of("docs", "bench")) {
      try (Stream<Path> files = Files.walk(root.resolve(folder))) {
        files
            .filter(file -> file.toString().endsWith(".md") && !file.startsWith(results))
            .filter(file -> !file.startsWith(root.resolve("bench/target")))
            .sorted()
            .forEach(documents::add);
      }
    }
    return documents;
  }

  private String rendered(Path document, String text) throws IOException {
    StringBuilder rendered = new StringBuilder();
    Matcher tables = TABLE.matcher(text);
    int count = 0;
    while (tables.find()) {
      count++;
      String lines;
      try {
        lines = String.join("\n", table(Block.parse(results, tables.group(2))));
      } catch (TableException e) {
        throw new TableException(root.relativize(document) + ": " + e.getMessage());
      }
      tables.appendReplacement(
          rendered,
          Matcher.quoteReplacement(tables.group(1) + "\n" + lines + "\n\n" + tables.group(4)));
    }
    tables.appendTail(rendered);
    if (OPENED.matcher(text).results().count() != count) {
      throw new TableException(
          root.relativize(document)
              + ": a table has no <!-- end -->, or its marker no end of line");
    }
    Matcher plots = PLOT.matcher(text);
    while (plots.find()) {
      write(document, Block.parse(results, plots.group(1)));
    }
    return rendered.toString();
  }

  private void write(Path document, Block block) throws IOException {
    if (block.words().isEmpty()) {
      throw new TableException(root.relativize(document) + ": a plot names no image");
    }
    Path image = document.resolveSibling(block.words().getFirst());
    String text = String.join("\n", plot(block)) + "\n";
    boolean same = Files.exists(image) && Files.readString(image).equals(text);
    if (check && !same) {
      wrong.add(root.relativize(image) + " is not what its results give: run bench/tables");
    } else if (!same) {
      Files.writeString(image, text);
    }
  }

  private String difference(Path document, String text, String rendered) {
    List<String> before = text.lines().toList();
    List<String> after = rendered.lines().toList();
    int line = 0;
    while (line < Math.min(before.size(), after.size())
        && before.get(line).equals(after.get(line))) {
      line++;
    }
    return "%s:%d is not what its results give: run bench/tables%n  has   %s%n  wants %s"
        .formatted(
            root.relativize(document),
            line + 1,
            line < before.size() ? before.get(line) : "",
            line < after.size() ? after.get(line) : "");
  }
}
