package dev.sidefade.text;

import dev.sidefade.tensor.BadInputException;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;

/**
 * Sentences with a tag on every word, as CoNLL-2003 is distributed: a word on each line, its tag in
 * the last column, columns separated by blanks or tabs, a blank line after every sentence. Lines
 * that begin with {@code -DOCSTART-} are ignored. UTF-8; a byte order mark is welcome. A file with
 * one column on all lines has words and no tags.
 *
 * @param source name of the file, for messages
 * @param sentences at least one
 * @param tagged whether the words have tags
 */
public record ConllFile(String source, List<Sentence> sentences, boolean tagged) {
  private static final Pattern BLANKS = Pattern.compile("[ \t\r]+");

  /** Copies the sentences. */
  public ConllFile {
    sentences = List.copyOf(sentences);
  }

  /**
   * A sentence.
   *
   * @param line number of the line of its first word, from 1; its words stand on one line after the
   *     other
   * @param words at least one, none of them blank
   * @param tags one for each word, or none at all
   */
  public record Sentence(int line, List<String> words, List<String> tags) {
    /** Copies the words and tags. */
    public Sentence {
      words = List.copyOf(words);
      tags = List.copyOf(tags);
      if (words.isEmpty() || !(tags.isEmpty() || tags.size() == words.size())) {
        throw new IllegalArgumentException(words.size() + " words with " + tags.size() + " tags");
      }
    }
  }

  /**
   * Reads a file.
   *
   * @param file the file
   * @return the sentences
   * @throws BadInputException if the file is missing or not what is described above, with the line
   *     that is wrong
   * @throws IOException if reading fails for another reason
   */
  public static ConllFile read(Path file) throws IOException {
    return parse("CoNLL file " + file, TextFile.read("CoNLL file", file));
  }

  static ConllFile parse(String source, String text) {
    List<Sentence> sentences = new ArrayList<>();
    List<String> words = new ArrayList<>();
    List<String> tags = new ArrayList<>();
    int firstColumns = 0;
    int begin = 0;
    int line = 0;
    for (String row : TextFile.lines(text)) {
      line++;
      String[] columns = BLANKS.split(trimmed(row), 0);
      if (columns.length == 0 || columns[0].isEmpty() || columns[0].equals("-DOCSTART-")) {
        finish(sentences, begin, words, tags);
        continue;
      }
      if (firstColumns == 0) {
        firstColumns = columns.length;
      }
      if (columns.length > 1 != firstColumns > 1) {
        throw TextFile.malformed(source, line, unlike(columns, firstColumns));
      }
      if (words.isEmpty()) {
        begin = line;
      }
      words.add(columns[0]);
      if (columns.length > 1) {
        tags.add(columns[columns.length - 1]);
      }
    }
    finish(sentences, begin, words, tags);
    if (sentences.isEmpty()) {
      throw new BadInputException(
          source + " holds no sentence: expected a word and its tag on each line");
    }
    return new ConllFile(source, sentences, firstColumns > 1);
  }

  private static String unlike(String[] columns, int firstColumns) {
    String word = "'" + TextTable.shortened(columns[0]) + "'";
    return firstColumns > 1
        ? "the word "
            + word
            + " has no tag: expected a tag in the last column, as on the lines before"
        : "the word " + word + " has a tag, but the words before have none";
  }

  private static void finish(
      List<Sentence> sentences, int begin, List<String> words, List<String> tags) {
    if (!words.isEmpty()) {
      sentences.add(new Sentence(begin, words, tags));
      words.clear();
      tags.clear();
    }
  }

  /** Without blanks at its start: they would make an empty first column. */
  private static String trimmed(String row) {
    int from = 0;
    while (from < row.length() && (row.charAt(from) == ' ' || row.charAt(from) == '\t')) {
      from++;
    }
    return row.substring(from);
  }
}
