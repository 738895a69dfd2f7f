package dev.sidefade.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.sidefade.docs.DocumentCommand;
import dev.sidefade.docs.MarkdownFile;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import picocli.CommandLine;
import picocli.CommandLine.Model.OptionSpec;

/** Options that the documents name are those of the command line, and the other way round. */
class DocumentedOptionsTest {
  private static final Pattern OPTION = Pattern.compile("--[a-z][a-z-]*[a-z]");
  private static final Pattern CODE = Pattern.compile("`([^`]+)`");
  private static final Pattern CALL =
      Pattern.compile("(?:^|[\\s|(])(?:\\./)?sidefade ([a-z]+)([^|>]*)");
  private static final Pattern ROW = Pattern.compile("\\| (`--[^|]+) \\| ([^|]+) \\|.*");

  /**
   * Options of {@code java}, of the scripts below {@code bench}, of torch: not the command line's.
   */
  private static final Set<String> OTHERS =
      Set.of("--enable-native-access", "--add-modules", "--add-exports");

  private static Map<String, CommandLine> commands() {
    return SidefadeCommand.commandLine(
            (config, progress) -> {
              throw new AssertionError("nothing is adapted here");
            },
            Optional.empty(),
            List.of())
        .getSubcommands();
  }

  private static Set<String> options(CommandLine command) {
    Set<String> names = new TreeSet<>();
    for (OptionSpec option : command.getCommandSpec().options()) {
      names.addAll(List.of(option.names()));
      if (option.negatable()) {
        for (String name : option.names()) {
          names.add(name.replaceFirst("--", "--no-"));
        }
      }
    }
    return names;
  }

  private static Set<String> allOptions() {
    Set<String> names = new HashSet<>(Set.of("--version"));
    commands().values().forEach(command -> names.addAll(options(command)));
    return names;
  }

  private static List<Path> guides() throws IOException {
    List<Path> found = new ArrayList<>();
    for (Path path : MarkdownFile.all(Path.of(""))) {
      if (path.startsWith("docs") || path.equals(Path.of("README.md"))) {
        found.add(path);
      }
    }
    return found;
  }

  @Test
  void whatDocumentsNameExists() throws IOException {
    Set<String> known = allOptions();
    List<String> unknown = new ArrayList<>();
    for (Path path : guides()) {
      for (MarkdownFile.Line line : MarkdownFile.read(path).prose()) {
        Matcher code = CODE.matcher(line.text());
        while (code.find()) {
          // bench/run --gpu is an option of that script
          if (code.group(1).matches("(\\./mvnw|bench/|tools/|native/|java ).*")) {
            continue;
          }
          Matcher options = OPTION.matcher(code.group(1));
          while (options.find()) {
            if (!known.contains(options.group()) && !OTHERS.contains(options.group())) {
              unknown.add(path + ":" + line.number() + ": " + options.group());
            }
          }
        }
      }
    }
    assertEquals(List.of(), unknown);
  }

  @Test
  void commandsHaveTheOptionsThatDocumentsGiveThem() throws IOException {
    List<String> wrong = new ArrayList<>();
    int calls = 0;
    for (Path path : MarkdownFile.all(Path.of(""))) {
      MarkdownFile document = MarkdownFile.read(path);
      for (DocumentCommand command : DocumentCommand.of(document)) {
        calls += check(command.place(), command.text(), wrong);
      }
      for (MarkdownFile.Line line : document.prose()) {
        Matcher code = CODE.matcher(line.text());
        while (code.find()) {
          calls += check(path + ":" + line.number(), code.group(1), wrong);
        }
      }
    }
    assertEquals(List.of(), wrong);
    assertTrue(calls > 50, "calls found: " + calls);
  }

  private static int check(String place, String text, List<String> wrong) {
    int calls = 0;
    Matcher call = CALL.matcher(text);
    while (call.find()) {
      calls++;
      CommandLine command = commands().get(call.group(1));
      if (command == null) {
        wrong.add(place + ": there is no command " + call.group(1));
        continue;
      }
      Matcher options = OPTION.matcher(call.group(2));
      while (options.find()) {
        if (!options(command).contains(options.group())) {
          wrong.add(place + ": " + call.group(1) + " has no " + options.group());
        }
      }
    }
    return calls;
  }

  @Test
  void theGuideNamesEveryOptionOfEveryCommand() throws IOException {
    String guide = Files.readString(Path.of("docs", "guide.md"));
    List<String> missing = new ArrayList<>();
    commands()
        .forEach((name, command) -> {
          if (!guide.contains("sidefade " + name) && !name.equals("help")) {
            missing.add("sidefade " + name);
          }
          for (OptionSpec option : command.getCommandSpec().options()) {
            String longest = option.longestName();
            if (!option.hidden()
                && !guide.matches("(?s).*" + longest + "(?![a-z-]).*")
                && !guide.contains(longest.replaceFirst("--", "--no-"))) {
              missing.add(name + " " + longest);
            }
          }
        });
    assertEquals(List.of(), missing);
  }

  /** Rows such as {@code | `--epochs`, `--batch` | 40, 64 |} below a heading "default". */
  @Test
  void defaultsOfTheGuideAreThoseOfTheCommandLine() throws IOException {
    Map<String, CommandLine> commands = commands();
    List<String> wrong = new ArrayList<>();
    int rows = 0;
    boolean inTable = false;
    for (MarkdownFile.Line line : MarkdownFile.read(Path.of("docs", "guide.md")).prose()) {
      inTable =
          line.text().startsWith("| option | default |") || inTable && line.text().startsWith("|");
      Matcher row = ROW.matcher(line.text());
      if (!inTable || !row.matches()) {
        continue;
      }
      rows++;
      List<String> names = row.group(1).replace("`", "").lines().toList();
      String[] options = names.getFirst().split(", ");
      String[] values = row.group(2).replace("`", "").split(", ");
      for (int i = 0; i < options.length && values.length == options.length; i++) {
        OptionSpec option = commands.get("adapt").getCommandSpec().findOption(options[i]);
        String is = defaultOf(commands.get("adapt"), option);
        String said = values[i].replaceAll(" \\(.*\\)", "");
        if (is != null && !same(said, is)) {
          wrong.add(line.number() + ": " + options[i] + " is " + is + ", not " + said);
        }
      }
    }
    assertEquals(List.of(), wrong);
    assertTrue(rows > 15, "rows found: " + rows);
  }

  private static String defaultOf(CommandLine command, OptionSpec option) {
    try {
      return command.getDefaultValueProvider().defaultValue(option);
    } catch (Exception e) {
      throw new AssertionError(e);
    }
  }

  private static boolean same(String said, String is) {
    boolean numbers = said.matches("[0-9.]+") && is.matches("[0-9.E-]+");
    return numbers ? Double.parseDouble(said) == Double.parseDouble(is) : said.equals(is);
  }
}
