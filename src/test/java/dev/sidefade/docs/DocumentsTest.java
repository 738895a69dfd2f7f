package dev.sidefade.docs;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/**
 * What can be said of the commands of the documents without running them; {@link RunDocuments} runs
 * them.
 */
class DocumentsTest {
  private static final Pattern SCRIPT = Pattern.compile("(?:\\S+=\\S+\\s+)*(?:\\./)?(\\S+)(.*)");
  private static final Pattern PYTHON = Pattern.compile(".*\\bpython (\\S+\\.py)(.*)");
  private static final Pattern PROFILE = Pattern.compile("-P(\\S+)");
  private static final Pattern TEST = Pattern.compile("-Dtest=(\\S+)");
  private static final Pattern OPTION = Pattern.compile("--[a-z][a-z-]*");

  /** A path in code font, alone or before the arguments of a script; placeholders are none. */
  private static final Pattern NAMED_FILE =
      Pattern.compile(
          "`(?:\\./)?((?:bench|tools|native|kernels|examples|docs|src|\\.ci)/[a-zA-Z0-9/_.-]*)["
              + " `]");

  private static List<MarkdownFile> documents() throws IOException {
    List<MarkdownFile> all = new ArrayList<>();
    for (Path path : MarkdownFile.all(Path.of(""))) {
      all.add(MarkdownFile.read(path));
    }
    assertTrue(all.size() > 10, all.toString());
    return all;
  }

  private static List<DocumentCommand> commands() throws IOException {
    List<DocumentCommand> all = new ArrayList<>();
    for (MarkdownFile document : documents()) {
      all.addAll(DocumentCommand.of(document));
    }
    assertTrue(all.size() > 50, all.toString());
    return all;
  }

  @Test
  void codeStandsBetweenFences() throws IOException {
    List<String> found = new ArrayList<>();
    for (MarkdownFile document : documents()) {
      document.indentedCode().forEach(line -> found.add(document.path() + ":" + line.number()));
    }
    assertEquals(List.of(), found, "indented blocks: nothing says whether they are commands");
  }

  @Test
  void commandsAreNowhereElse() throws IOException {
    List<String> found = new ArrayList<>();
    for (MarkdownFile document : documents()) {
      for (MarkdownFile.Fence fence : document.fences()) {
        if (fence.language().equals("text")
            && fence.lines().stream().anyMatch(line -> line.matches("(\\$ |\\./|sidefade ).*"))) {
          found.add(document.path() + ":" + fence.line());
        }
      }
    }
    assertEquals(List.of(), found, "commands in blocks that are not run");
  }

  @Test
  void whatAnotherFileRunsIsInIt() throws IOException {
    List<String> found = new ArrayList<>();
    for (DocumentCommand command : commands()) {
      if (command.use() instanceof DocumentCommand.Use.RunBy by) {
        String runner = Files.readString(Path.of(by.file()));
        command.words().stream()
            .filter(word -> !runner.contains(word))
            .forEach(word -> found.add(command.place() + ": " + word + " not in " + by.file()));
      }
    }
    assertEquals(List.of(), found);
  }

  @Test
  void scriptsAndTheirOptionsExistThoughNobodyRunsThem() throws IOException {
    List<String> found = new ArrayList<>();
    for (DocumentCommand command : commands()) {
      if (command.use() instanceof DocumentCommand.Use.Run) {
        continue;
      }
      Matcher python = PYTHON.matcher(command.text());
      Matcher script = SCRIPT.matcher(command.text());
      if (python.matches()) {
        Path beside = command.document().resolveSibling(python.group(1));
        Path file = Files.exists(beside) ? beside : Path.of(python.group(1));
        lacking(command, file, python.group(2), found);
      } else if (script.matches() && script.group(1).matches("(bench|native|tools|kernels)/.*")) {
        lacking(command, Path.of(script.group(1)), script.group(2), found);
      }
    }
    assertEquals(List.of(), found);
  }

  /** An option may be read by any file beside the script, or by what lies below src/main there. */
  private static void lacking(DocumentCommand command, Path script, String rest, List<String> found)
      throws IOException {
    if (!Files.isRegularFile(script)) {
      found.add(command.place() + ": there is no " + script);
      return;
    }
    StringBuilder sources = new StringBuilder();
    try (Stream<Path> files = Files.walk(script.getParent())) {
      for (Path file : files.filter(Files::isRegularFile).toList()) {
        String name = file.toString();
        boolean source =
            name.endsWith(".java")
                || name.endsWith(".py")
                || !name.replaceAll(".*/", "").contains(".");
        if (source && !name.contains("/target/")) {
          sources.append(Files.readString(file));
        }
      }
    }
    Matcher options = OPTION.matcher(rest.replaceAll("&&.*", ""));
    while (options.find()) {
      if (sources.indexOf(options.group()) < 0) {
        found.add(command.place() + ": " + script + " has no " + options.group());
      }
    }
  }

  @Test
  void profilesAndTestsOfMavenExist() throws IOException {
    String pom = Files.readString(Path.of("pom.xml"));
    List<String> found = new ArrayList<>();
    for (DocumentCommand command : commands()) {
      Matcher profile = PROFILE.matcher(command.text());
      while (profile.find()) {
        if (!pom.contains("<id>" + profile.group(1) + "</id>")) {
          found.add(command.place() + ": no profile " + profile.group(1));
        }
      }
      Matcher tests = TEST.matcher(command.text());
      while (tests.find()) {
        for (String test : tests.group(1).split(",")) {
          if (!hasTest(test)) {
            found.add(command.place() + ": no test " + test);
          }
        }
      }
    }
    assertEquals(List.of(), found);
  }

  private static boolean hasTest(String name) throws IOException {
    try (Stream<Path> files = Files.walk(Path.of("src", "test", "java"))) {
      return files.anyMatch(file -> file.endsWith(name + ".java"));
    }
  }

  @Test
  void filesOfTheSourcesExist() throws IOException {
    List<String> found = new ArrayList<>();
    for (MarkdownFile document : documents()) {
      for (MarkdownFile.Line line : document.prose()) {
        Matcher named = NAMED_FILE.matcher(line.text());
        while (named.find()) {
          String file = named.group(1);
          if (!Files.exists(Path.of(file)) && !Files.exists(document.path().resolveSibling(file))) {
            found.add(document.path() + ":" + line.number() + ": " + file);
          }
        }
      }
    }
    assertEquals(List.of(), found);
  }

  @Test
  void linksLeadSomewhere() throws IOException {
    List<String> found = new ArrayList<>();
    for (MarkdownFile document : documents()) {
      found.addAll(DocumentLinks.broken(document));
    }
    assertEquals(List.of(), found);
  }

  private static List<DocumentCommand> of(String text) {
    return DocumentCommand.of(MarkdownFile.of(Path.of("some.md"), text.lines().toList()));
  }

  @Test
  void aBlockIsTakenApart() {
    List<DocumentCommand> commands =
        of(
            """
            Text.

            ```sh
            # a comment
            A=1
            first $A \\
              --more    # and why
            second "#1"
            ```
            """);
    assertEquals(2, commands.size());
    assertEquals("first $A   --more".replaceAll("\\s+", " "), oneBlank(commands.getFirst()));
    assertEquals(6, commands.getFirst().line());
    assertEquals(List.of("A=1"), commands.getFirst().settings());
    assertEquals("second \"#1\"", commands.getLast().text());
    assertEquals(new DocumentCommand.Use.Run(), commands.getLast().use());
  }

  private static String oneBlank(DocumentCommand command) {
    return command.text().replaceAll("\\s+", " ");
  }

  @Test
  void whatIsNotRunSaysWhy() {
    String block = "```sh\nx\n```\n";
    assertEquals(
        new DocumentCommand.Use.NotRun("for a reason"),
        of("<!-- not run: for a reason -->\n" + block).getFirst().use());
    assertEquals(
        new DocumentCommand.Use.RunBy(".ci/run", "it takes long"),
        of("<!-- run by .ci/run: it takes long -->\n" + block).getFirst().use());
    assertThrows(IllegalArgumentException.class, () -> of("<!-- not run -->\n" + block));
    assertThrows(IllegalArgumentException.class, () -> of("```\nx\n```\n"));
    assertThrows(IllegalArgumentException.class, () -> of("```bash\nx\n```\n"));
    assertThrows(IllegalArgumentException.class, () -> of("```sh\nx\n"));
  }

  @Test
  void outputIsCompared() {
    DocumentCommand command =
        of("```sh\nx\n```\n\n```output\na   1\n{\"b\":...}\n```\n").getFirst();
    assertEquals(List.of(), command.missingFrom("first\n  a 1 2\n\n{\"b\":[2],\"c\":{}}\n"));
    assertEquals(2, command.missingFrom("a 2\nb\n").size());
    // in another order
    assertEquals(
        List.of(new MarkdownFile.Line(7, "{\"b\":...}")), command.missingFrom("{\"b\":1}\na 1\n"));
    assertThrows(IllegalArgumentException.class, () -> of("```output\nx\n```\n"));
    assertEquals(
        List.of(),
        of("```sh\nx\n```\n<!-- not compared: why -->\n```output\na\n```\n").getFirst().output());
  }

  @Test
  void brokenLinksAreFound() {
    String text =
        """
        # One heading: `code`, and more
        [a](#one-heading-code-and-more) [b](#missing) [c](docs/guide.md) [d](docs/missing.md)
        [e](docs/guide.md#missing) ![f](docs/images/missing.svg) [g](https://example.org/)
        """;
    MarkdownFile document = MarkdownFile.of(Path.of("some.md"), text.lines().toList());
    List<String> broken = DocumentLinks.broken(document);
    assertEquals(4, broken.size(), broken.toString());
  }
}
