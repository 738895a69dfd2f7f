package dev.sidefade.text;

import dev.sidefade.tensor.BadInputException;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * Texts or pairs of texts with labels or without, from a file with a header.
 *
 * <p>The header names, in any order and case, {@code text} (or {@code sentence}, {@code
 * sentence1}), for pairs {@code text_b} (or {@code sentence2}), and {@code label} (or {@code
 * score}); columns of other names are ignored. An empty label stands for an example without one.
 * The file is UTF-8; a byte order mark is welcome.
 *
 * <ul>
 *   <li>{@code .csv}: cells separated by commas and quoted as in RFC 4180.
 *   <li>{@code .tsv}, {@code .txt}: cells separated by tabs and not quoted, as GLUE and most data
 *       sets of sentences are distributed: a quote belongs to the sentence, also at its start and
 *       end. Two exceptions: if every name of the header stands in quotes, cells are quoted as in
 *       CSV; and a cell in quotes whose inner quotes are doubled ({@code "a ""good"" film"}) is
 *       taken for quoted.
 * </ul>
 *
 * @param source name of the file, for messages
 * @param rows the rows with a text; at least one
 * @param pairs whether there is a second text
 * @param labelled whether there is a column of labels
 * @param blankLines number of blank lines, which are ignored
 * @param emptyTexts number of rows left out because a text was empty
 */
public record TextTable(
    String source,
    List<Row> rows,
    boolean pairs,
    boolean labelled,
    int blankLines,
    int emptyTexts) {

  private static final Set<String> TEXT = Set.of("text", "sentence", "sentence1");
  private static final Set<String> TEXT_B = Set.of("text_b", "sentence2");
  private static final Set<String> LABEL = Set.of("label", "score");
  private static final String EXPECTED =
      "expected a column text (or sentence, sentence1), for pairs text_b (or sentence2), and label"
          + " (or score)";

  /** Copies the rows. */
  public TextTable {
    rows = List.copyOf(rows);
  }

  /**
   * An example.
   *
   * @param line number of its line in the file, from 1
   * @param text the text, or the first of two; not blank
   * @param textB the second text; not blank
   * @param label what the file says, without blanks around it
   */
  public record Row(int line, String text, Optional<String> textB, Optional<String> label) {}

  /**
   * Reads a file.
   *
   * @param file the file
   * @param strict refuse a row whose text is empty, instead of leaving it out
   * @return the table
   * @throws BadInputException if the file is missing or not what is described above, with the line
   *     that is wrong
   * @throws IOException if reading fails for another reason
   */
  public static TextTable read(Path file, boolean strict) throws IOException {
    String name = String.valueOf(file.getFileName()).toLowerCase(Locale.ROOT);
    boolean commas = name.endsWith(".csv");
    if (!commas && !name.endsWith(".tsv") && !name.endsWith(".txt")) {
      throw new BadInputException(
          "text file " + file + " must be named .tsv, .txt (tabs) or .csv (commas)");
    }
    String source = "text file " + file;
    String text = TextFile.read("text file", file);
    return parse(source, text, commas, strict);
  }

  /**
   * {@return texts for prediction, one on each line and no header}
   *
   * @param source where they come from, for messages
   * @param utf8 the lines
   * @param pairs whether a line holds two texts, separated by a tab; otherwise tabs are blanks
   * @throws BadInputException if a line is not UTF-8 or not a pair, or all are blank
   */
  public static TextTable lines(String source, byte[] utf8, boolean pairs) {
    List<String> lines = TextFile.lines(TextFile.decode(source, utf8));
    List<Row> rows = new ArrayList<>();
    int blank = 0;
    for (int i = 0; i < lines.size(); i++) {
      String line = lines.get(i);
      if (line.isBlank()) {
        blank++;
        continue;
      }
      String[] texts = pairs ? line.split("\t", -1) : new String[] {line};
      if (pairs && (texts.length != 2 || texts[0].isBlank() || texts[1].isBlank())) {
        throw TextFile.malformed(source, i + 1, "expected two texts with a tab between them");
      }
      Optional<String> second = pairs ? Optional.of(texts[1].strip()) : Optional.empty();
      rows.add(new Row(i + 1, texts[0].strip(), second, Optional.empty()));
    }
    return new TextTable(source, nonEmpty(source, rows), pairs, false, blank, 0);
  }

  static TextTable parse(String source, String text, boolean commas, boolean strict) {
    List<DelimitedText.Row> rows =
        commas ? DelimitedText.quoted(source, text, ',') : DelimitedText.tabs(source, text);
    int head = 0;
    while (head < rows.size() && rows.get(head).isBlank()) {
      head++;
    }
    if (head == rows.size()) {
      throw new BadInputException(source + " is empty: " + EXPECTED + " in its first line");
    }
    Columns columns = Columns.of(source, rows.get(head), commas);
    return new Body(source, columns, commas, strict)
        .read(rows.subList(head + 1, rows.size()), head);
  }

  private static List<Row> nonEmpty(String source, List<Row> rows) {
    if (rows.isEmpty()) {
      throw new BadInputException(source + " holds no text: expected one on each line");
    }
    return rows;
  }

  /** Where in a row to look; {@code count} cells make a row. */
  private record Columns(int count, int text, OptionalInt textB, OptionalInt label) {

    static Columns of(String source, DelimitedText.Row header, boolean commas) {
      List<String> names =
          header.cells().stream().map(c -> c.strip().toLowerCase(Locale.ROOT)).toList();
      OptionalInt text = find(source, header.line(), names, TEXT);
      if (text.isEmpty()) {
        String found =
            header.cells().stream()
                .limit(12)
                .map(c -> "'" + shortened(c.strip()) + "'")
                .collect(Collectors.joining(", "));
        throw TextFile.malformed(
            source,
            header.line(),
            "the header names "
                + found
                + (header.cells().size() > 12 ? ", ..." : "")
                + ": "
                + EXPECTED
                + ", separated by "
                + separators(commas));
      }
      OptionalInt textB = find(source, header.line(), names, TEXT_B);
      return new Columns(
          names.size(), text.getAsInt(), textB, find(source, header.line(), names, LABEL));
    }

    private static OptionalInt find(
        String source, int line, List<String> names, Set<String> wanted) {
      List<String> found = names.stream().filter(wanted::contains).toList();
      if (found.size() > 1) {
        throw TextFile.malformed(
            source,
            line,
            "the header names both '"
                + found.get(0)
                + "' and '"
                + found.get(1)
                + "', which mean the same: rename the one that is not to be used");
      }
      return found.isEmpty() ? OptionalInt.empty() : OptionalInt.of(names.indexOf(found.get(0)));
    }
  }

  /** How to read the rows below the header. */
  private record Body(String source, Columns columns, boolean commas, boolean strict) {

    TextTable read(List<DelimitedText.Row> lines, int blankBefore) {
      List<Row> rows = new ArrayList<>();
      int blank = blankBefore;
      int empty = 0;
      for (DelimitedText.Row line : lines) {
        if (line.isBlank()) {
          blank++;
        } else {
          Row row = row(line);
          if (row.text.isEmpty() || row.textB.filter(String::isEmpty).isPresent()) {
            empty++;
          } else {
            rows.add(row);
          }
        }
      }
      return new TextTable(
          source,
          nonEmpty(source, rows),
          columns.textB.isPresent(),
          columns.label.isPresent(),
          blank,
          empty);
    }

    private Row row(DelimitedText.Row line) {
      List<String> cells = line.cells();
      if (cells.size() != columns.count) {
        throw TextFile.malformed(
            source,
            line.line(),
            "it has "
                + cells.size()
                + (cells.size() == 1 ? " column" : " columns")
                + ", but the header has "
                + columns.count
                + ": separate the columns by "
                + separators(commas)
                + (commas ? " and put a text that holds a comma in double quotes" : ""));
      }
      Row row =
          new Row(
              line.line(),
              cells.get(columns.text).strip(),
              columns.textB.stream().mapToObj(c -> cells.get(c).strip()).findFirst(),
              columns.label.stream()
                  .mapToObj(c -> cells.get(c).strip())
                  .filter(l -> !l.isEmpty())
                  .findFirst());
      if (strict && (row.text.isEmpty() || row.textB.filter(String::isEmpty).isPresent())) {
        throw TextFile.malformed(
            source, line.line(), "its text is empty: fill it in or remove the line");
      }
      return row;
    }
  }

  private static String separators(boolean commas) {
    return commas ? "commas" : "tabs";
  }

  static String shortened(String text) {
    return shortened(text, 40);
  }

  /** At most so many characters, on one line. */
  static String shortened(String text, int most) {
    String line = text.replaceAll("\\R", " ");
    return line.length() > most ? line.substring(0, most) + "..." : line;
  }
}
