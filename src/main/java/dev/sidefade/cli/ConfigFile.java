package dev.sidefade.cli;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParseException;
import com.google.gson.JsonParser;
import dev.sidefade.data.ByteOrderMark;
import dev.sidefade.tensor.BadInputException;
import java.io.IOException;
import java.io.StringReader;
import java.nio.charset.CharacterCodingException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Properties;
import java.util.Set;
import java.util.TreeSet;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Unmatched;

/**
 * Options of {@code adapt} or {@code compare} in a file: a JSON object or Java properties, keyed by
 * the names of the options without their dashes. Paths in it are relative to the working folder, as
 * on the command line.
 *
 * @param file where they stand
 * @param values by key, spelled as on the command line
 */
record ConfigFile(Path file, Map<String, String> values) {
  /** Options that steer the reading of options and thus cannot come from a file. */
  private static final Set<String> COMMAND_LINE_ONLY = Set.of("config", "help", "verbose");

  private static final Set<String> COMMANDS = Set.of("adapt", "compare");

  private static final long LARGEST = 1 << 20;

  ConfigFile {
    values = Map.copyOf(values);
  }

  /**
   * Finds {@code --config} before the arguments are parsed, for it decides the defaults of the
   * parsing.
   */
  @Command
  static final class Finder {
    @Option(names = "--config")
    private Path config;

    @Unmatched private List<String> others = new ArrayList<>();

    Optional<String> command() {
      return others.stream()
          .filter(argument -> !argument.startsWith("-"))
          .findFirst()
          .filter(COMMANDS::contains);
    }
  }

  /**
   * The settings file that the arguments of {@code adapt} or {@code compare} name, read.
   *
   * @throws BadInputException if it is missing, malformed, or has a key that is no option
   */
  static Optional<ConfigFile> namedIn(List<String> arguments) throws IOException {
    if (arguments.stream().noneMatch(argument -> argument.startsWith("--config"))) {
      return Optional.empty();
    }
    Finder finder = new Finder();
    try {
      new CommandLine(finder)
          .setExpandAtFiles(false)
          .setOverwrittenOptionsAllowed(true)
          .parseArgs(arguments.toArray(String[]::new));
    } catch (CommandLine.ParameterException e) {
      // the parsing of all options will say it better
      return Optional.empty();
    }
    return finder.config != null && finder.command().isPresent()
        ? Optional.of(read(finder.config, finder.command().get()).without(arguments))
        : Optional.empty();
  }

  /**
   * Reads a settings file.
   *
   * @param command that it is for
   * @throws BadInputException if it is missing, malformed, or has a key that is no option
   */
  static ConfigFile read(Path file, String command) throws IOException {
    Map<String, String> values = values(file, text(file));
    Set<String> known = keys(command);
    for (String key : new TreeSet<>(values.keySet())) {
      if (!known.contains(key)) {
        throw new BadInputException(
            file
                + " has the key \""
                + key
                + "\", which is no option of sidefade "
                + command
                + "; it may have: "
                + String.join(", ", known));
      }
    }
    return new ConfigFile(file, values);
  }

  /** What stands in a file, whether or not there are such options. */
  static Map<String, String> values(Path file, String text) throws IOException {
    return text.stripLeading().startsWith("{") ? json(file, text) : properties(file, text);
  }

  /**
   * Less what the command line gives itself, so that a wrong value that is replaced anyway does no
   * harm.
   */
  private ConfigFile without(List<String> arguments) {
    Map<String, String> rest = new LinkedHashMap<>(values);
    rest.keySet()
        .removeIf(key ->
            arguments.stream()
                .anyMatch(argument ->
                    argument.equals("--" + key)
                        || argument.startsWith("--" + key + "=")
                        || argument.equals("--no-" + key)));
    return new ConfigFile(file, rest);
  }

  /** The key of an option. */
  static String key(OptionSpec option) {
    return option.longestName().replaceFirst("^--", "");
  }

  /** All keys that a file for a command may have, sorted. */
  static Set<String> keys(String command) {
    Set<String> keys = new TreeSet<>();
    CommandLine line =
        SidefadeCommand.commandLine((config, progress) -> null, Optional.empty(), List.of())
            .getSubcommands()
            .get(command);
    line.getCommandSpec().options().forEach(option -> keys.add(key(option)));
    keys.removeAll(COMMAND_LINE_ONLY);
    return keys;
  }

  private static String text(Path file) throws IOException {
    try {
      if (Files.isDirectory(file)) {
        throw new BadInputException("the settings file " + file + " is a folder; name a file");
      }
      if (Files.size(file) > LARGEST) {
        throw new BadInputException(
            "the settings file " + file + " is larger than 1 MiB; is it the right file?");
      }
      return ByteOrderMark.strip(Files.readString(file));
    } catch (NoSuchFileException e) {
      throw new BadInputException("there is no settings file " + file + "; check --config", e);
    } catch (CharacterCodingException e) {
      throw new BadInputException(
          "the settings file " + file + " is not text in UTF-8; is it the right file?", e);
    }
  }

  private static Map<String, String> properties(Path file, String text) throws IOException {
    Properties properties = new Properties();
    try {
      properties.load(new StringReader(text));
    } catch (IllegalArgumentException e) {
      throw new BadInputException(
          "the settings file "
              + file
              + " has a malformed \\u escape; write \\uXXXX with four digits",
          e);
    }
    Map<String, String> values = new LinkedHashMap<>();
    properties
        .stringPropertyNames()
        .forEach(key -> values.put(key, properties.getProperty(key).strip()));
    return values;
  }

  private static Map<String, String> json(Path file, String text) {
    JsonObject object;
    try {
      object = JsonParser.parseString(text).getAsJsonObject();
    } catch (JsonParseException e) {
      throw new BadInputException(
          "the settings file " + file + " is not valid JSON: " + e.getMessage(), e);
    }
    Map<String, String> values = new LinkedHashMap<>();
    object.asMap().forEach((key, value) -> values.put(key, spelled(file, key, value)));
    return values;
  }

  private static String spelled(Path file, String key, JsonElement value) {
    if (value.isJsonPrimitive()) {
      return value.getAsString();
    }
    if (value instanceof JsonArray array
        && !array.isEmpty()
        && array.asList().stream().allMatch(JsonElement::isJsonPrimitive)) {
      return String.join(",", array.asList().stream().map(JsonElement::getAsString).toList());
    }
    throw new BadInputException(
        "the key \""
            + key
            + "\" of "
            + file
            + " has the value "
            + value
            + ", but a text, a number, true, false or a list of those was expected");
  }
}
