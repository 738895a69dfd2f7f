package dev.sidefade;

import dev.sidefade.tensor.BadInputException;
import dev.sidefade.text.ConllFile;
import dev.sidefade.text.TextExamples;
import dev.sidefade.text.TextLimits;
import dev.sidefade.text.TextTable;
import dev.sidefade.text.TextTokenizer;
import dev.sidefade.train.Task;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/** Reads and tokenises files of one task, all of them with single texts or all with pairs. */
final class TextReader {
  private final Task task;
  private final TextTokenizer tokenizer;
  private final TextLimits limits;
  private final boolean strict;
  private Optional<Boolean> pairs;

  /**
   * @param strict whether one empty text is an error
   * @param pairs whether the texts come in pairs; empty: as in the first file
   */
  TextReader(
      Task task,
      TextTokenizer tokenizer,
      TextLimits limits,
      boolean strict,
      Optional<Boolean> pairs) {
    this.task = task;
    this.tokenizer = tokenizer;
    this.limits = limits;
    this.strict = strict;
    this.pairs = pairs;
  }

  /** Whether the texts come in pairs; known once a file was read. */
  boolean pairs() {
    return pairs.orElse(false);
  }

  /**
   * Texts of which some at least have a label.
   *
   * @param classes their names where they are known already; not looked at in a regression
   */
  TextExamples labelled(Path file, Optional<List<String>> classes) throws IOException {
    return switch (task) {
      case CLASSES -> TextExamples.classification(table(file), tokenizer, limits, classes);
      case REGRESSION -> TextExamples.regression(table(file), tokenizer, limits);
      case TOKENS -> {
        ConllFile sentences = ConllFile.read(file);
        if (!sentences.tagged()) {
          throw new BadInputException(
              sentences.source() + " has no tags: expected a word and its tag on each line");
        }
        yield TextExamples.tokens(sentences, tokenizer, limits, classes);
      }
    };
  }

  /** Texts whose labels are not looked at. */
  TextExamples unlabelled(Path file) throws IOException {
    return task == Task.TOKENS
        ? TextExamples.tokens(
            withoutTags(ConllFile.read(file)), tokenizer, limits, Optional.empty())
        : TextExamples.unlabelled(table(file), tokenizer, limits);
  }

  private static ConllFile withoutTags(ConllFile file) {
    List<ConllFile.Sentence> sentences =
        file.sentences().stream()
            .map(s -> new ConllFile.Sentence(s.line(), s.words(), List.of()))
            .toList();
    return new ConllFile(file.source(), sentences, false);
  }

  private TextTable table(Path file) throws IOException {
    TextTable table = TextTable.read(file, strict);
    if (pairs.isPresent() && pairs.get() != table.pairs()) {
      throw new BadInputException(
          table.source()
              + (table.pairs()
                  ? " holds pairs of texts where single ones are expected: remove its column text_b"
                  : " holds single texts where pairs are expected: a column text_b is missing"));
    }
    pairs = Optional.of(table.pairs());
    return table;
  }
}
