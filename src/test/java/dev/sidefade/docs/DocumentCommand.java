package dev.sidefade.docs;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A shell command of a document.
 *
 * @param document where it stands
 * @param line number of its first line
 * @param text what a reader would type, its lines joined
 * @param settings the variables that the document has set before it, as lines of shell
 * @param use what becomes of it
 * @param output what the document says that it prints, or nothing
 */
public record DocumentCommand(
    Path document,
    int line,
    String text,
    List<String> settings,
    Use use,
    List<MarkdownFile.Line> output) {
  /** Languages of fenced blocks that hold no commands. */
  public static final List<String> OTHER_LANGUAGES =
      List.of("java", "python", "json", "math", "text", "output");

  private static final Pattern NOT_RUN = Pattern.compile("not run: (.+)");
  private static final Pattern RUN_BY = Pattern.compile("run by (\\S+): (.+)");
  private static final Pattern NOT_COMPARED = Pattern.compile("not compared: (.+)");
  private static final Pattern SETTING = Pattern.compile("[A-Z_]+=\\S+");
  private static final Pattern TRAILING_COMMENT = Pattern.compile("\\s+#\\s.*$");

  /** What becomes of a command. */
  public sealed interface Use {
    /** It is run. */
    record Run() implements Use {}

    /** It cannot be run; why stands in the document. */
    record NotRun(String reason) implements Use {}

    /** Another file of the repository runs it. */
    record RunBy(String file, String reason) implements Use {}
  }

  /**
   * The commands of a document.
   *
   * @throws IllegalArgumentException if a block does not keep to the conventions
   */
  public static List<DocumentCommand> of(MarkdownFile document) {
    List<DocumentCommand> commands = new ArrayList<>();
    List<String> settings = new ArrayList<>();
    for (MarkdownFile.Fence fence : document.fences()) {
      if (fence.language().equals("sh")) {
        add(document.path(), fence, settings, commands);
      } else if (fence.language().equals("output")) {
        attach(document.path(), fence, commands);
      } else if (!OTHER_LANGUAGES.contains(fence.language())) {
        throw new IllegalArgumentException(
            "%s:%d: a block of '%s': commands stand in blocks of sh, all others are one of %s"
                .formatted(document.path(), fence.line(), fence.language(), OTHER_LANGUAGES));
      }
    }
    return commands;
  }

  private static void add(
      Path path, MarkdownFile.Fence fence, List<String> settings, List<DocumentCommand> commands) {
    Use use = use(path, fence);
    StringBuilder joined = new StringBuilder();
    int first = 0;
    for (int i = 0; i < fence.lines().size(); i++) {
      String line = fence.lines().get(i).strip();
      if (joined.isEmpty() && (line.isEmpty() || line.startsWith("#"))) {
        continue;
      }
      if (joined.isEmpty()) {
        first = fence.line() + i;
      }
      if (line.endsWith("\\")) {
        joined.append(line, 0, line.length() - 1);
        continue;
      }
      String text = TRAILING_COMMENT.matcher(joined + line).replaceFirst("");
      joined.setLength(0);
      if (SETTING.matcher(text).matches()) {
        settings.add(text);
      } else {
        commands.add(new DocumentCommand(path, first, text, List.copyOf(settings), use, List.of()));
      }
    }
  }

  private static Use use(Path path, MarkdownFile.Fence fence) {
    Matcher notRun = NOT_RUN.matcher(fence.comment());
    Matcher runBy = RUN_BY.matcher(fence.comment());
    if (notRun.matches()) {
      return new Use.NotRun(notRun.group(1));
    }
    if (runBy.matches()) {
      return new Use.RunBy(runBy.group(1), runBy.group(2));
    }
    if (fence.comment().matches("(not|run)\\b.*")) {
      throw new IllegalArgumentException(
          "%s:%d: '%s' is neither 'not run: REASON' nor 'run by FILE: REASON'"
              .formatted(path, fence.line() - 2, fence.comment()));
    }
    return new Use.Run();
  }

  /** Gives a block of output to the command before it. */
  private static void attach(Path path, MarkdownFile.Fence fence, List<DocumentCommand> commands) {
    if (commands.isEmpty()) {
      throw new IllegalArgumentException(
          "%s:%d: output without a command before it".formatted(path, fence.line()));
    }
    if (NOT_COMPARED.matcher(fence.comment()).matches()) {
      return;
    }
    List<MarkdownFile.Line> lines = new ArrayList<>();
    for (int i = 0; i < fence.lines().size(); i++) {
      if (!fence.lines().get(i).isBlank()) {
        lines.add(new MarkdownFile.Line(fence.line() + i, fence.lines().get(i)));
      }
    }
    DocumentCommand last = commands.removeLast();
    commands.add(
        new DocumentCommand(
            last.document, last.line, last.text, last.settings, last.use, List.copyOf(lines)));
  }

  /**
   * Words of the command but placeholders, which are written in capitals, and places below {@code
   * target}: what a script that runs it must hold.
   */
  public List<String> words() {
    return List.of(text.split("\\s+")).stream()
        .filter(word -> !word.matches("[A-Z].*|target/\\w+|#.*"))
        .toList();
  }

  /** Lines of the document's output that the printed text does not have, in their order. */
  public List<MarkdownFile.Line> missingFrom(String printed) {
    List<MarkdownFile.Line> missing = new ArrayList<>();
    List<String> lines = printed.lines().map(DocumentCommand::collapsed).toList();
    int next = 0;
    for (MarkdownFile.Line wanted : output) {
      Pattern pattern = pattern(wanted.text());
      int at = next;
      while (at < lines.size() && !pattern.matcher(lines.get(at)).find()) {
        at++;
      }
      if (at == lines.size()) {
        missing.add(wanted);
      } else {
        next = at + 1;
      }
    }
    return missing;
  }

  /** Blanks count as one; three dots stand for anything. */
  private static Pattern pattern(String line) {
    List<String> parts = new ArrayList<>();
    for (String part : collapsed(line).split("\\.\\.\\.", -1)) {
      parts.add(Pattern.quote(part));
    }
    return Pattern.compile(String.join(".*", parts));
  }

  private static String collapsed(String line) {
    return line.strip().replaceAll("\\s+", " ");
  }

  /** Where it stands. */
  public String place() {
    return document + ":" + line;
  }
}
