package dev.sidefade.text;

import dev.sidefade.tensor.BadInputException;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/**
 * Tokenised texts with what is known about them: a class for each text, a number for each text, or
 * a class for each word. Immutable; ids lie one after the other in primitive arrays.
 *
 * <p>The lengths of texts differ; {@link TextBatch} pads them.
 */
public final class TextExamples {
  private final TokenStore tokens;
  private final int[] labels;
  private final float[] targets;
  private final List<String> texts;
  private final List<List<String>> words;
  private final List<String> classNames;
  private final int maxLength;
  private final int padId;
  private final int skipped;

  /**
   * {@code labels}, {@code targets}, {@code texts} and {@code words} have one entry per example.
   */
  TextExamples(
      TokenStore tokens,
      int[] labels,
      float[] targets,
      List<String> texts,
      List<List<String>> words,
      List<String> classNames,
      int maxLength,
      int padId,
      int skipped) {
    this.tokens = tokens;
    this.labels = labels;
    this.targets = targets;
    this.texts = List.copyOf(texts);
    this.words = List.copyOf(words);
    this.classNames = List.copyOf(classNames);
    this.maxLength = maxLength;
    this.padId = padId;
    this.skipped = skipped;
  }

  /**
   * {@return texts with a class each; a row without a label has class -1}
   *
   * @param table rows of texts
   * @param tokenizer what makes tokens of the texts
   * @param limits how long texts may be, and which ids there are
   * @param classNames the classes where they are fixed already (validation and test take
   *     training's); empty: those that occur, in numeric order if all are numbers, otherwise sorted
   * @throws BadInputException if a label is none of the known classes, no row has a label, or the
   *     tokenizer does not fit the limits
   */
  public static TextExamples classification(
      TextTable table,
      TextTokenizer tokenizer,
      TextLimits limits,
      Optional<List<String>> classNames) {
    return new TableReader(table, tokenizer, limits).classification(classNames);
  }

  /**
   * {@return texts with a number each; a row without one has target NaN}
   *
   * @param table rows of texts
   * @param tokenizer what makes tokens of the texts
   * @param limits how long texts may be, and which ids there are
   * @throws BadInputException if a label is not a number, no row has one, or the tokenizer does not
   *     fit the limits
   */
  public static TextExamples regression(
      TextTable table, TextTokenizer tokenizer, TextLimits limits) {
    return new TableReader(table, tokenizer, limits).regression();
  }

  /**
   * {@return texts alone; labels that the table has are not looked at}
   *
   * @param table rows of texts
   * @param tokenizer what makes tokens of the texts
   * @param limits how long texts may be, and which ids there are
   * @throws BadInputException if the tokenizer does not fit the limits
   */
  public static TextExamples unlabelled(
      TextTable table, TextTokenizer tokenizer, TextLimits limits) {
    return new TableReader(table, tokenizer, limits).unlabelled();
  }

  /**
   * {@return sentences with a class for each word, which its first token carries} A file without
   * tags gives sentences without labels.
   *
   * @param file sentences of words
   * @param tokenizer what makes tokens of the texts
   * @param limits how long texts may be, and which ids there are
   * @param classNames the classes where they are fixed already; empty: those that occur, sorted
   * @throws BadInputException if a tag is none of the known classes, or the tokenizer does not fit
   *     the limits
   */
  public static TextExamples tokens(
      ConllFile file,
      TextTokenizer tokenizer,
      TextLimits limits,
      Optional<List<String>> classNames) {
    return SentenceReader.read(file, tokenizer, limits, classNames);
  }

  /** {@return number of examples; at least one} */
  public int size() {
    return labels.length;
  }

  /**
   * {@return number of tokens of example {@code i}, special ones among them}
   *
   * @param i number of the example, from 0
   */
  public int length(int i) {
    return tokens.length(i);
  }

  /** {@return all lengths, by example} */
  public int[] lengths() {
    return IntStream.range(0, size()).map(tokens::length).toArray();
  }

  /**
   * {@return token ids of example {@code i}}
   *
   * @param i number of the example, from 0
   */
  public int[] ids(int i) {
    return IntStream.range(0, length(i)).map(t -> tokens.id(i, t)).toArray();
  }

  /**
   * {@return for every token of example {@code i} the text it belongs to, 0 or 1 for most models}
   *
   * @param i number of the example, from 0
   */
  public int[] typeIds(int i) {
    return IntStream.range(0, length(i)).map(t -> tokens.typeId(i, t)).toArray();
  }

  /**
   * {@return for every token of example {@code i} the index in {@link #words} of the word that it
   * begins; -1 for further pieces of a word and special tokens, and where the example is not of
   * words}
   *
   * @param i number of the example, from 0
   */
  public int[] firstPieces(int i) {
    return IntStream.range(0, length(i)).map(t -> tokens.wordOf(i, t)).toArray();
  }

  /**
   * {@return class of every token of example {@code i}, an index into {@link #classNames}; -1 where
   * it does not count: special tokens, further pieces of a word, examples without tags}
   *
   * @param i number of the example, from 0
   */
  public int[] tokenLabels(int i) {
    return IntStream.range(0, length(i)).map(t -> tokens.label(i, t)).toArray();
  }

  /**
   * {@return class of example {@code i}, an index into {@link #classNames}; -1 if it has none}
   *
   * @param i number of the example, from 0
   */
  public int label(int i) {
    return labels[i];
  }

  /** {@return all classes, by example} */
  public int[] labels() {
    return labels.clone();
  }

  /**
   * {@return number of example {@code i}; NaN if it has none}
   *
   * @param i number of the example, from 0
   */
  public float target(int i) {
    return targets[i];
  }

  /** {@return all numbers, by example} */
  public float[] targets() {
    return targets.clone();
  }

  /**
   * {@return whether anything is known of example {@code i}: a class, a number, or the class of a
   * token}
   *
   * @param i number of the example, from 0
   */
  public boolean isLabelled(int i) {
    return labels[i] >= 0 || !Float.isNaN(targets[i]) || tokens.hasLabel(i);
  }

  /**
   * {@return the text of example {@code i} for display; of a pair, both with {@code " | "} between}
   *
   * @param i number of the example, from 0
   */
  public String text(int i) {
    return texts.get(i);
  }

  /**
   * {@return the words of example {@code i}; none where the example is not of words}
   *
   * @param i number of the example, from 0
   */
  public List<String> words(int i) {
    return words.get(i);
  }

  /** {@return names of the classes; none for numbers and texts alone} */
  public List<String> classNames() {
    return classNames;
  }

  /** {@return the length that texts were cut to} */
  public int maxLength() {
    return maxLength;
  }

  /** {@return the token id to pad with} */
  public int padId() {
    return padId;
  }

  /** {@return number of examples that lost tokens because they were too long} */
  public int truncated() {
    return (int) IntStream.range(0, size()).filter(tokens::truncated).count();
  }

  /** {@return number of rows that were left out because their text was empty} */
  public int skipped() {
    return skipped;
  }

  /**
   * {@return the examples with the given indices, in this order; none of them counts as skipped}
   *
   * @param indices numbers of the examples, from 0
   */
  public TextExamples select(int[] indices) {
    float[] chosen = new float[indices.length];
    for (int k = 0; k < chosen.length; k++) {
      chosen[k] = targets[indices[k]];
    }
    return new TextExamples(
        tokens.select(indices),
        Arrays.stream(indices).map(i -> labels[i]).toArray(),
        chosen,
        Arrays.stream(indices).mapToObj(texts::get).toList(),
        Arrays.stream(indices).mapToObj(words::get).toList(),
        classNames,
        maxLength,
        padId,
        0);
  }

  /**
   * {@return these examples and then others, such as texts without labels}
   *
   * @param others examples of the same kind
   * @throws IllegalArgumentException if the others are cut to another length, or have class names
   *     and these are not the same
   */
  public TextExamples with(TextExamples others) {
    if (others.maxLength != maxLength
        || !(others.classNames.isEmpty() || others.classNames.equals(classNames))) {
      throw new IllegalArgumentException("the examples differ in length or class names");
    }
    float[] both = Arrays.copyOf(targets, size() + others.size());
    System.arraycopy(others.targets, 0, both, size(), others.size());
    return new TextExamples(
        tokens.with(others.tokens),
        IntStream.concat(Arrays.stream(labels), Arrays.stream(others.labels)).toArray(),
        both,
        concat(texts, others.texts),
        concat(words, others.words),
        classNames,
        maxLength,
        padId,
        skipped + others.skipped);
  }

  TokenStore store() {
    return tokens;
  }

  static List<List<String>> noWords(int n) {
    return Collections.nCopies(n, List.of());
  }

  private static <T> List<T> concat(List<T> first, List<T> second) {
    return Stream.concat(first.stream(), second.stream()).toList();
  }
}
