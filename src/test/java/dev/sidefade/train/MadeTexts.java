package dev.sidefade.train;

import dev.sidefade.backbone.Backbone;
import dev.sidefade.tensor.DType;
import dev.sidefade.text.ConllFile;
import dev.sidefade.text.TextExamples;
import dev.sidefade.text.TextLimits;
import dev.sidefade.text.TextTable;
import dev.sidefade.text.TextTokenizer;
import java.io.IOException;
import java.net.URISyntaxException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;

/** Texts of 1 to 20 words whose labels follow from their words; every fourth has none. */
final class MadeTexts {
  static final TextLimits LIMITS = new TextLimits(20, 50);
  private static final List<String> WORDS = List.of("film", "the", "was", "unlikely", "playing");

  private MadeTexts() {}

  static Path resource(String name) {
    try {
      return Path.of(MadeTexts.class.getResource(name).toURI());
    } catch (URISyntaxException e) {
      throw new IllegalStateException(e);
    }
  }

  /** What a backbone is fed. */
  static Map<String, DType> inputs(Backbone backbone) {
    Map<String, DType> inputs = new LinkedHashMap<>();
    backbone.structure().inputs().forEach(input -> inputs.put(input.name(), input.dtype()));
    return inputs;
  }

  static Map<String, DType> longs(List<String> names) {
    Map<String, DType> inputs = new LinkedHashMap<>();
    names.forEach(name -> inputs.put(name, DType.I64));
    return inputs;
  }

  static TextExamples examples(Task task, int size, long seed) throws IOException {
    Random random = new Random(seed);
    try (TextTokenizer tokenizer = TextTokenizer.open(resource("/text/tokenizer.json"))) {
      return switch (task) {
        case CLASSES ->
            TextExamples.classification(table(size, random), tokenizer, LIMITS, Optional.empty());
        case REGRESSION -> TextExamples.regression(table(size, random), tokenizer, LIMITS);
        case TOKENS ->
            TextExamples.tokens(sentences(size, random), tokenizer, LIMITS, Optional.empty());
      };
    }
  }

  /** The label is how many words are good, at most 2. */
  private static TextTable table(int size, Random random) {
    List<TextTable.Row> rows = new ArrayList<>();
    for (int i = 0; i < size; i++) {
      int good = random.nextInt(3);
      List<String> words = new ArrayList<>(words(random));
      words.addAll(Collections.nCopies(good, "good"));
      Optional<String> label = i % 4 == 3 ? Optional.empty() : Optional.of("" + good);
      rows.add(new TextTable.Row(i + 1, String.join(" ", words), Optional.empty(), label));
    }
    return new TextTable("made up", rows, false, true, 0, 0);
  }

  private static List<String> words(Random random) {
    List<String> words = new ArrayList<>();
    for (int n = 1 + random.nextInt(random.nextBoolean() ? 3 : 18); n > 0; n--) {
      words.add(WORDS.get(random.nextInt(WORDS.size())));
    }
    return words;
  }

  /** "unlikely" and "playing" are several tokens and have tags of their own. */
  private static ConllFile sentences(int size, Random random) {
    List<ConllFile.Sentence> sentences = new ArrayList<>();
    for (int i = 0; i < size; i++) {
      List<String> words = words(random);
      List<String> tags =
          words.stream()
              .map(word ->
                  switch (word) {
                    case "unlikely" -> "B-ADV";
                    case "playing" -> "B-VERB";
                    default -> "O";
                  })
              .toList();
      sentences.add(new ConllFile.Sentence(i + 1, words, i % 4 == 3 ? List.of() : tags));
    }
    return new ConllFile("made up", sentences, true);
  }
}
