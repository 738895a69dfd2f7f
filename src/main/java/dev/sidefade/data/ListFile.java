package dev.sidefade.data;

import dev.sidefade.data.FileImageSource.Item;
import dev.sidefade.tensor.BadInputException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A list of images, as VTAB-1K is distributed: UTF-8 text with {@code path label} on every line.
 * The label is the last word of the line if that is an integer, counted from 0; a line without has
 * no label. A path is relative to the folder of the list or absolute and may hold spaces. Blank
 * lines and lines that begin with # are ignored.
 *
 * <p>Without class names from outside, the classes are named "0", "1", and so on up to the largest
 * label; one that no line names is allowed, since a small sample of many classes may miss some.
 */
final class ListFile {
  static final int MAX_CLASSES = 100_000;

  // paths on Linux have at most 4096 bytes
  private static final int MAX_LINE_BYTES = 8192;
  private static final long MAX_BYTES = 256L << 20;
  private static final Pattern LABELLED = Pattern.compile("(.*\\S)\\s+([+-]?\\d+)");

  /**
   * A line that says something: its number in the file, from 1, its path as written, and its label
   * or -1.
   */
  record Entry(int line, String path, int label) {}

  private ListFile() {}

  static ImageSource open(Path list, ImageSources.Options options) throws IOException {
    long size = Files.size(list);
    if (size > MAX_BYTES) {
      throw new BadInputException(
          "list file " + list + " has " + size + " bytes: expected text of at most " + MAX_BYTES);
    }
    int limit = options.classNames().map(List::size).orElse(MAX_CLASSES);
    List<Entry> entries = parse(list.toString(), Files.readAllBytes(list), limit);
    Path folder =
        Objects.requireNonNull(list.toAbsolutePath().getParent(), "a file is in a folder");
    List<Item> items = new ArrayList<>();
    int classes = 0;
    for (Entry e : entries) {
      items.add(new Item(existing(list, folder, e), e.label));
      classes = Math.max(classes, e.label + 1);
    }
    List<String> names = options.classNames().orElse(IdxSource.numbered(classes));
    return FileImageSource.open("list file " + list, items, names, options.strict());
  }

  /**
   * The entries of a list; there is at least one.
   *
   * @param limit labels must be below it
   * @throws BadInputException with the number of the line that is wrong
   */
  static List<Entry> parse(String name, byte[] file, int limit) {
    List<Entry> entries = new ArrayList<>();
    int line = 0;
    int at = 0;
    while (at < file.length) {
      int end = at;
      while (end < file.length && file[end] != '\n') {
        end++;
      }
      line++;
      String text = decode(name, line, file, at, end);
      if (!text.isEmpty() && text.charAt(0) != '#') {
        entries.add(entry(name, line, text, limit));
      }
      at = end + 1;
    }
    if (entries.isEmpty()) {
      throw new BadInputException(
          "list file " + name + " names no image: expected a line 'path label' for each");
    }
    return entries;
  }

  private static String decode(String name, int line, byte[] file, int from, int to) {
    if (to - from > MAX_LINE_BYTES) {
      throw malformed(name, line, "it is longer than " + MAX_LINE_BYTES + " bytes");
    }
    try {
      String text =
          StandardCharsets.UTF_8
              .newDecoder()
              .decode(ByteBuffer.wrap(file, from, to - from))
              .toString();
      text = (line == 1 ? ByteOrderMark.strip(text) : text).strip();
      if (text.chars().anyMatch(c -> c < ' ' && c != '\t')) {
        throw malformed(name, line, "it holds a control character, which a text file does not");
      }
      return text;
    } catch (CharacterCodingException e) {
      throw malformed(name, line, "it is not UTF-8 text");
    }
  }

  private static Entry entry(String name, int line, String text, int limit) {
    Matcher m = LABELLED.matcher(text);
    if (!m.matches()) {
      int space = lastSpace(text);
      if (space > 0 && ClassFolders.hasImageExtension(text.substring(0, space).strip())) {
        throw malformed(name, line, "label '" + text.substring(space + 1) + "' is not an integer");
      }
      return new Entry(line, text, -1);
    }
    int label;
    try {
      label = Integer.parseInt(m.group(2));
    } catch (NumberFormatException e) {
      throw malformed(
          name, line, "label " + m.group(2) + " is out of range, from 0 to " + (limit - 1));
    }
    if (label < 0) {
      throw malformed(name, line, "label " + label + " is negative: labels count from 0");
    }
    if (label >= limit) {
      throw malformed(name, line, "label " + label + " is out of range, from 0 to " + (limit - 1));
    }
    return new Entry(line, m.group(1), label);
  }

  private static int lastSpace(String text) {
    for (int i = text.length() - 1; i >= 0; i--) {
      if (Character.isWhitespace(text.charAt(i))) {
        return i;
      }
    }
    return -1;
  }

  private static Path existing(Path list, Path folder, Entry e) {
    Path path;
    try {
      path = folder.resolve(e.path);
    } catch (InvalidPathException x) {
      throw malformed(list.toString(), e.line, "'" + e.path + "' is not a path: " + x.getReason());
    }
    if (!Files.isRegularFile(path)) {
      throw malformed(
          list.toString(),
          e.line,
          "there is no file " + path + " (paths are relative to the list's folder)");
    }
    return path;
  }

  private static BadInputException malformed(String name, int line, String what) {
    return new BadInputException("line " + line + " of list file " + name + ": " + what);
  }
}
