package dev.sidefade.docs;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/**
 * The messages in docs/troubleshooting.md are those of the code, and those that the command line
 * and the facade refuse input with are all there.
 */
class TroubleshootingTest {
  private static final Path MAIN = Path.of("src", "main", "java");
  private static final Path FACADE = MAIN.resolve(Path.of("dev", "sidefade"));

  /** The first cell of a row. */
  private static final Pattern ROW = Pattern.compile("\\| ((?:[^|`]|`[^`]*`)+) \\|.*");

  private static final Pattern CODE = Pattern.compile("`([^`]+)`");

  /** What stands in the message for names and numbers, or may, and where sentences are joined. */
  private static final Pattern VARIES =
      Pattern.compile("\\.\\.\\.|[0-9]+|[:;]( |$)|, (because )?|['\"\\[({}]");

  /** Said by the Java VM and by picocli. */
  private static final List<String> OF_OTHERS =
      List.of("WARNING: Using incubator modules", "Unknown options: ", "Invalid value for option ");

  /** Literals of one string that are written in several pieces. */
  private static final Pattern BETWEEN_PIECES = Pattern.compile("\"\\s*\\+\\s*\"");

  private static final Pattern LITERAL = Pattern.compile("\"((?:[^\"\\\\]|\\\\.)*)\"");

  private static final int FEWEST_LETTERS = 12;

  /** Fewer are in messages about other things too. */
  private static final int FEWEST_LETTERS_THAT_TELL = 16;

  /** Of a message the longest stretch that never varies. */
  private record Message(int line, String text, String stretch) {
    /** Whether a literal of the code says this. */
    boolean isSaidBy(String literal) {
      return Stream.concat(Stream.of(stretch), Stream.of(text.split("\\.\\.\\.")))
          .map(String::strip)
          .anyMatch(part -> part.length() >= FEWEST_LETTERS_THAT_TELL && literal.contains(part));
    }
  }

  private static List<Message> documented() throws IOException {
    List<Message> messages = new ArrayList<>();
    for (MarkdownFile.Line line :
        MarkdownFile.read(Path.of("docs", "troubleshooting.md")).prose()) {
      Matcher row = ROW.matcher(line.text());
      if (!row.matches()) {
        continue;
      }
      Matcher code = CODE.matcher(row.group(1));
      while (code.find()) {
        String stretch =
            Stream.of(VARIES.split(code.group(1)))
                .map(String::strip)
                .max(Comparator.comparingInt(String::length))
                .orElse("");
        if (stretch.length() >= FEWEST_LETTERS) {
          messages.add(new Message(line.number(), code.group(1), stretch));
        }
      }
    }
    assertTrue(messages.size() > 80, "messages: " + messages.size());
    return messages;
  }

  private static String pieced(String source) {
    return BETWEEN_PIECES.matcher(source).replaceAll("").replace("\\\"", "\"");
  }

  @Test
  void everyMessageIsTheCodes() throws IOException {
    StringBuilder all = new StringBuilder();
    try (Stream<Path> files = Files.walk(MAIN)) {
      for (Path file : files.filter(f -> f.toString().endsWith(".java")).toList()) {
        all.append(pieced(Files.readString(file)));
      }
    }
    all.append(Files.readString(Path.of("sidefade"))).append(Files.readString(Path.of("pom.xml")));
    String sources = all.toString();
    List<String> unknown = new ArrayList<>();
    for (Message message : documented()) {
      boolean others = OF_OTHERS.stream().anyMatch(message.text()::startsWith);
      if (!others && !sources.contains(message.stretch())) {
        unknown.add(message.line() + ": " + message.stretch());
      }
    }
    assertEquals(List.of(), unknown, "said by nothing in " + MAIN);
  }

  @Test
  void everyRefusalOfTheCommandLineAndTheFacadeIsThere() throws IOException {
    List<Message> documented = documented();
    List<String> missing = new ArrayList<>();
    int refusals = 0;
    for (Path folder : List.of(FACADE, FACADE.resolve("cli"))) {
      try (Stream<Path> files = Files.list(folder)) {
        for (Path file : files.filter(f -> f.toString().endsWith(".java")).sorted().toList()) {
          for (String call : refusals(Files.readString(file))) {
            refusals++;
            List<String> literals = literals(call);
            if (documented.stream()
                .noneMatch(message -> literals.stream().anyMatch(message::isSaidBy))) {
              missing.add(file.getFileName() + ": " + String.join(" ... ", literals));
            }
          }
        }
      }
    }
    assertTrue(refusals > 60, "refusals: " + refusals);
    assertEquals(List.of(), missing, "not in docs/troubleshooting.md");
  }

  /** What stands behind every {@code new BadInputException}, up to the end of the statement. */
  private static List<String> refusals(String source) {
    List<String> found = new ArrayList<>();
    String opening = "new BadInputException(";
    for (int at = source.indexOf(opening); at >= 0; at = source.indexOf(opening, at + 1)) {
      int end = source.indexOf(";\n", at);
      found.add(source.substring(at, end));
    }
    return found;
  }

  private static List<String> literals(String call) {
    List<String> found = new ArrayList<>();
    Matcher literal = LITERAL.matcher(BETWEEN_PIECES.matcher(call).replaceAll(""));
    while (literal.find()) {
      found.add(literal.group(1).replace("\\\"", "\""));
    }
    return found;
  }
}
