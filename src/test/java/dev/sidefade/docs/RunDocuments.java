package dev.sidefade.docs;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * Runs every shell command of every document and compares what it prints with what the document
 * shows. Started in the root of the repository by {@code .ci/run}, after a build; CONTRIBUTING.md
 * has the conventions.
 */
public final class RunDocuments {
  /** Folders that a document takes from another one, which runs before it. */
  private static final Map<String, List<String>> TAKEN =
      Map.of("docs/guide.md", List.of("flowers-model", "reviews"));

  private final Path scratch;
  private final Map<String, List<String>> skipped = new TreeMap<>();
  private final List<String> failures = new ArrayList<>();
  private int run;
  private int elsewhere;
  private int compared;

  private RunDocuments(Path scratch) {
    this.scratch = scratch;
  }

  /**
   * Runs them.
   *
   * @param args a new folder to work in, then perhaps documents: without any, all of them
   */
  public static void main(String[] args) throws IOException, InterruptedException {
    Path scratch = Files.createDirectories(Path.of(args[0])).toAbsolutePath();
    if (scratch.toFile().list().length > 0) {
      System.err.println("the folder " + scratch + " is not empty: name a new one");
      System.exit(2);
    }
    RunDocuments documents = new RunDocuments(scratch);
    List<Path> chosen = new ArrayList<>();
    for (int i = 1; i < args.length; i++) {
      chosen.add(Path.of(args[i]));
    }
    for (Path path : chosen.isEmpty() ? MarkdownFile.all(Path.of("")) : chosen) {
      documents.document(path);
    }
    System.exit(documents.report() ? 0 : 1);
  }

  private void document(Path path) throws IOException, InterruptedException {
    List<DocumentCommand> commands = DocumentCommand.of(MarkdownFile.read(path));
    DocumentFolder folder = null;
    for (DocumentCommand command : commands) {
      switch (command.use()) {
        case DocumentCommand.Use.NotRun(String reason) ->
            skipped.computeIfAbsent(reason, _ -> new ArrayList<>()).add(shown(command));
        case DocumentCommand.Use.RunBy(String _, String _) -> elsewhere++;
        case DocumentCommand.Use.Run() -> {
          if (folder == null) {
            folder = folder(path);
          }
          run(command, folder);
        }
      }
    }
  }

  private DocumentFolder folder(Path document) throws IOException {
    String name = document.toString();
    DocumentFolder folder = DocumentFolder.make(scratch, name.replace('/', '-'));
    for (String taken : TAKEN.getOrDefault(name, List.of())) {
      Path from = scratch.resolve("README.md").resolve(taken);
      if (!Files.exists(from)) {
        throw new IllegalArgumentException(name + " takes " + taken + " from README.md: name both");
      }
      DocumentFolder.copy(from, folder.root().resolve(taken));
    }
    return folder;
  }

  private void run(DocumentCommand command, DocumentFolder folder)
      throws IOException, InterruptedException {
    run++;
    long begin = System.nanoTime();
    DocumentFolder.Outcome outcome = folder.run(command.settings(), command.text());
    Duration time = Duration.ofNanos(System.nanoTime() - begin);
    System.out.printf("%5.1f s  %s%n", time.toMillis() / 1e3, shown(command));
    outcome
        .printed()
        .lines()
        .filter(line -> line.startsWith("documents: "))
        .forEach(line -> System.out.println("         " + line.substring("documents: ".length())));
    if (outcome.code() != 0) {
      failures.add(
          shown(command) + "\n  exit code " + outcome.code() + ":\n" + outcome.printed().indent(4));
      return;
    }
    compared += command.output().size();
    for (MarkdownFile.Line missing : command.missingFrom(outcome.printed())) {
      failures.add(
          command.document()
              + ":"
              + missing.number()
              + ": not printed: "
              + missing.text().strip()
              + "\n  but:\n"
              + outcome.printed().indent(4));
    }
  }

  private static String shown(DocumentCommand command) {
    return command.place() + ": " + command.text().replaceAll("\\s+", " ");
  }

  private boolean report() {
    skipped.forEach((reason, commands) -> {
      System.out.println("skipped " + commands.size() + ": " + reason);
      commands.forEach(command -> System.out.println("    " + command));
    });
    failures.forEach(failure -> System.out.println("FAILED " + failure));
    System.out.printf(
        "commands of the documents: %d run, %d lines of output compared, %d run by other steps,"
            + " %d skipped, %d failures%n",
        run,
        compared,
        elsewhere,
        skipped.values().stream().mapToInt(List::size).sum(),
        failures.size());
    return failures.isEmpty();
  }
}
