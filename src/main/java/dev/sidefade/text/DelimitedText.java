package dev.sidefade.text;

import dev.sidefade.tensor.BadInputException;
import java.util.ArrayList;
import java.util.List;

/** Rows of cells, separated by tabs or commas. */
final class DelimitedText {
  /**
   * A row; a blank line is a row of one blank cell.
   *
   * @param line number of the line it begins on, from 1
   */
  record Row(int line, List<String> cells) {
    boolean isBlank() {
      return cells.size() == 1 && cells.get(0).isBlank();
    }
  }

  private DelimitedText() {}

  /**
   * Rows of TSV as data sets are distributed: one row on each line, cells between tabs, a quote is
   * a character like others. If every cell of the first row stands in quotes, then the writer
   * quotes, and the rules are those of {@link #quoted}.
   *
   * <p>One form of quoting is undone everywhere: a cell that stands in quotes and has its inner
   * quotes doubled, at least one of them. Writers that quote where they must produce it, people who
   * write sentences do not.
   */
  static List<Row> tabs(String name, String text) {
    List<String> lines = TextFile.lines(text);
    if (!lines.isEmpty() && split(lines.get(0)).stream().allMatch(DelimitedText::inQuotes)) {
      return quoted(name, text, '\t');
    }
    List<Row> rows = new ArrayList<>();
    for (int i = 0; i < lines.size(); i++) {
      rows.add(new Row(i + 1, split(lines.get(i)).stream().map(DelimitedText::undoubled).toList()));
    }
    return rows;
  }

  /**
   * Rows after RFC 4180: a cell may stand in double quotes, and then holds separators and line
   * breaks as they are and quotes doubled. Lines end with LF or CR LF. A quote within a cell that
   * does not begin with one is a character like others.
   *
   * @throws BadInputException with the number of a line whose quotes do not fit
   */
  static List<Row> quoted(String name, String text, char separator) {
    Scanner scanner = new Scanner(name, text, separator);
    List<Row> rows = new ArrayList<>();
    while (scanner.at < text.length()) {
      rows.add(scanner.row());
    }
    return rows;
  }

  private static List<String> split(String line) {
    return List.of(line.split("\t", -1));
  }

  private static boolean inQuotes(String cell) {
    return cell.length() >= 2 && cell.startsWith("\"") && cell.endsWith("\"");
  }

  private static String undoubled(String cell) {
    if (!inQuotes(cell)) {
      return cell;
    }
    String inner = cell.substring(1, cell.length() - 1);
    boolean doubled = inner.contains("\"\"") && !inner.replace("\"\"", "").contains("\"");
    return doubled ? inner.replace("\"\"", "\"") : cell;
  }

  private static final class Scanner {
    private final String name;
    private final String text;
    private final char separator;
    private int at;
    private int line = 1;

    private Scanner(String name, String text, char separator) {
      this.name = name;
      this.text = text;
      this.separator = separator;
    }

    private Row row() {
      int first = line;
      List<String> cells = new ArrayList<>();
      do {
        cells.add(at < text.length() && text.charAt(at) == '"' ? inQuotes() : plain());
      } while (follows(separator));
      if (text.startsWith("\r\n", at)) {
        at++;
      }
      if (follows('\n')) {
        line++;
      } else if (at < text.length()) {
        throw TextFile.malformed(
            name,
            line,
            "after a quoted cell stands '"
                + text.substring(at, Math.min(at + 12, endOfLine(at)))
                + "' where a separator or the end of the line is expected: write a quote within"
                + " quotes twice");
      }
      return new Row(first, List.copyOf(cells));
    }

    private boolean follows(char c) {
      if (at < text.length() && text.charAt(at) == c) {
        at++;
        return true;
      }
      return false;
    }

    private String plain() {
      int from = at;
      int end = endOfLine(at);
      int next = text.indexOf(separator, from, end);
      at = next >= 0 ? next : end;
      return text.substring(from, at);
    }

    /** Where the line's text ends, before LF or CR LF. */
    private int endOfLine(int from) {
      int newline = text.indexOf('\n', from);
      if (newline < 0) {
        return text.length();
      }
      return newline > from && text.charAt(newline - 1) == '\r' ? newline - 1 : newline;
    }

    private String inQuotes() {
      int opened = line;
      StringBuilder cell = new StringBuilder();
      at++;
      while (true) {
        int quote = text.indexOf('"', at);
        if (quote < 0) {
          throw TextFile.malformed(
              name,
              opened,
              "a quoted cell begins here and does not end: its last quote is missing");
        }
        cell.append(text, at, quote);
        line += (int) text.substring(at, quote).chars().filter(c -> c == '\n').count();
        at = quote + 1;
        if (!follows('"')) {
          return cell.toString();
        }
        cell.append('"');
      }
    }
  }
}
