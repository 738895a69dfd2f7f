package dev.sidefade.text;

import dev.sidefade.text.ConllFile.Sentence;
import dev.sidefade.text.TextTokenizer.EncodedWords;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/** Makes examples of tagged sentences. */
final class SentenceReader {
  private SentenceReader() {}

  static TextExamples read(
      ConllFile file,
      TextTokenizer tokenizer,
      TextLimits limits,
      Optional<List<String>> classNames) {
    tokenizer.requireFits(limits.vocabularyRows());
    Set<String> found = new HashSet<>();
    file.sentences().forEach(s -> found.addAll(s.tags()));
    LabelNames names =
        classNames.map(LabelNames::known).orElseGet(() -> LabelNames.of(file.source(), found));
    TokenStore.Builder store = new TokenStore.Builder();
    for (Sentence sentence : file.sentences()) {
      EncodedWords e = tokenizer.encodeWords(sentence.words(), limits.maxLength());
      int[] tags = new int[sentence.tags().size()];
      for (int w = 0; w < tags.length; w++) {
        tags[w] = names.index(file.source(), sentence.line() + w, sentence.tags().get(w));
      }
      store.begin(e.ids().length, e.truncated());
      for (int t = 0; t < e.ids().length; t++) {
        tokenizer.requireFits(e.ids()[t], limits.vocabularyRows());
        int word = e.wordOf()[t];
        store.token(
            e.ids()[t], e.typeIds()[t], word, word < 0 || tags.length == 0 ? -1 : tags[word]);
      }
    }
    int n = file.sentences().size();
    int[] labels = new int[n];
    Arrays.fill(labels, -1);
    float[] targets = new float[n];
    Arrays.fill(targets, Float.NaN);
    return new TextExamples(
        store.build(),
        labels,
        targets,
        file.sentences().stream().map(s -> String.join(" ", s.words())).toList(),
        file.sentences().stream().map(Sentence::words).toList(),
        names.names(),
        limits.maxLength(),
        tokenizer.padId(),
        0);
  }
}
