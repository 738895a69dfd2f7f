package dev.sidefade.docs;

import java.io.IOException;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A document, taken apart as far as the tests of the documents need it.
 *
 * @param path where it lies
 * @param fences its fenced blocks, in order
 * @param prose its other lines, in order
 */
public record MarkdownFile(Path path, List<Fence> fences, List<Line> prose) {
  private static final Pattern FENCE = Pattern.compile("(\\s*)```(.*)");
  private static final Pattern COMMENT = Pattern.compile("<!--\\s*(.*?)\\s*-->");

  /** A line and its number, from 1. */
  public record Line(int number, String text) {}

  /**
   * A fenced block.
   *
   * @param line number of its first content line
   * @param language what stands behind the opening marks, or nothing
   * @param comment the HTML comment on the line above, or nothing
   * @param lines its content, without the indentation of the marks
   */
  public record Fence(int line, String language, String comment, List<String> lines) {}

  /** All documents of a source tree, in the order of their paths. */
  public static List<Path> all(Path root) throws IOException {
    List<Path> found = new ArrayList<>();
    Files.walkFileTree(
        root,
        new SimpleFileVisitor<>() {
          @Override
          public FileVisitResult preVisitDirectory(Path folder, BasicFileAttributes attributes) {
            String name = String.valueOf(folder.getFileName());
            boolean skipped = name.equals("target") || name.startsWith(".") && !folder.equals(root);
            return skipped ? FileVisitResult.SKIP_SUBTREE : FileVisitResult.CONTINUE;
          }

          @Override
          public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) {
            if (file.toString().endsWith(".md")) {
              found.add(file);
            }
            return FileVisitResult.CONTINUE;
          }
        });
    found.sort(null);
    return found;
  }

  public static MarkdownFile read(Path path) throws IOException {
    return of(path, Files.readAllLines(path));
  }

  static MarkdownFile of(Path path, List<String> text) {
    List<Fence> fences = new ArrayList<>();
    List<Line> prose = new ArrayList<>();
    for (int i = 0; i < text.size(); i++) {
      Matcher opening = FENCE.matcher(text.get(i));
      if (!opening.matches()) {
        prose.add(new Line(i + 1, text.get(i)));
        continue;
      }
      int first = i + 1;
      int end = first;
      while (end < text.size() && !text.get(end).strip().equals("```")) {
        end++;
      }
      if (end == text.size()) {
        throw new IllegalArgumentException(path + ":" + first + ": the block is not closed");
      }
      int indent = opening.group(1).length();
      List<String> lines =
          text.subList(first, end).stream()
              .map(line -> line.substring(Math.min(indent, indentOf(line))))
              .toList();
      String above = i == 0 ? "" : text.get(i - 1).strip();
      Matcher comment = COMMENT.matcher(above);
      fences.add(
          new Fence(
              first + 1,
              opening.group(2).strip(),
              comment.matches() ? comment.group(1) : "",
              lines));
      i = end;
    }
    return new MarkdownFile(path, List.copyOf(fences), List.copyOf(prose));
  }

  private static int indentOf(String line) {
    return line.length() - line.stripLeading().length();
  }

  /** Lines that Markdown takes for code without fences around them. */
  public List<Line> indentedCode() {
    List<Line> found = new ArrayList<>();
    boolean mayBegin = true;
    for (Line line : prose) {
      String text = line.text();
      boolean code = mayBegin && !text.isBlank() && indentOf(text) >= 4;
      if (code) {
        found.add(line);
      }
      mayBegin = code || text.isBlank() || text.startsWith("#");
    }
    return found;
  }
}
