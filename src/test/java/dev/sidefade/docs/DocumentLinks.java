package dev.sidefade.docs;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Links and images of a document that lead to other files or to headings. */
final class DocumentLinks {
  private static final Pattern LINK = Pattern.compile("\\]\\(([^)\\s]+)\\)");
  private static final Pattern CODE = Pattern.compile("`[^`]*`");
  private static final Pattern HEADING = Pattern.compile("#{1,6}\\s+(.*?)\\s*");

  private DocumentLinks() {}

  /** Those that lead nowhere, with their places. */
  static List<String> broken(MarkdownFile document) {
    List<String> found = new ArrayList<>();
    for (MarkdownFile.Line line : document.prose()) {
      Matcher links = LINK.matcher(CODE.matcher(line.text()).replaceAll("``"));
      while (links.find()) {
        String target = links.group(1);
        if (!target.matches("[a-z]+:.*") && !leads(document, target)) {
          found.add(document.path() + ":" + line.number() + ": " + target);
        }
      }
    }
    return found;
  }

  private static boolean leads(MarkdownFile document, String target) {
    String[] parts = target.split("#", 2);
    MarkdownFile other = document;
    if (!parts[0].isEmpty()) {
      Path file = document.path().resolveSibling(parts[0]).normalize();
      if (!Files.exists(file)) {
        return false;
      }
      if (parts.length == 1) {
        return true;
      }
      other = read(file);
    }
    return anchors(other).contains(parts[1]);
  }

  private static MarkdownFile read(Path file) {
    try {
      return MarkdownFile.read(file);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Headings as GitHub makes anchors of them; one that is there already gets a number. */
  private static Set<String> anchors(MarkdownFile document) {
    Set<String> anchors = new HashSet<>();
    for (MarkdownFile.Line line : document.prose()) {
      Matcher heading = HEADING.matcher(line.text());
      if (!heading.matches()) {
        continue;
      }
      String text = heading.group(1).replaceAll("\\]\\([^)]*\\)", "").toLowerCase(Locale.ROOT);
      String anchor = text.replaceAll("[^\\p{L}\\p{N} _-]", "").replace(' ', '-');
      String unique = anchor;
      for (int i = 1; !anchors.add(unique); i++) {
        unique = anchor + "-" + i;
      }
    }
    return anchors;
  }
}
