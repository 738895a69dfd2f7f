package dev.sidefade;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;

/**
 * Small backbones with random weights, their tokenizer, and made-up texts whose labels follow from
 * their words, so that something can be learned in seconds.
 */
final class TextFiles {
  private static final List<String> FILLERS =
      List.of("the", "film", "was", "very", "a", "movie", "is", "play", "actor", "not", ",");

  private static final List<String> TOPICS = List.of("film", "actor", "berlin", "cafe");

  private final Path folder;

  TextFiles(Path folder) throws IOException {
    this.folder = folder;
    copy("/text/tokenizer.json", tokenizer());
  }

  private static void copy(String resource, Path to) throws IOException {
    try (InputStream in = TextFiles.class.getResourceAsStream(resource)) {
      Files.copy(in, to);
    }
  }

  Path tokenizer() {
    return folder.resolve("tokenizer.json");
  }

  /** A copy of a test model. */
  Path backbone(String name) throws IOException {
    Path file = folder.resolve(name + ".onnx");
    if (!Files.exists(file)) {
      copy("/models/" + name + ".onnx", file);
    }
    return file;
  }

  Path file(String name, String text) throws IOException {
    return Files.writeString(folder.resolve(name), text);
  }

  /** Training, validation and test texts of one kind. */
  record Sets(Path train, Path validation, Path test) {}

  /** Few epochs at high rates, which is enough for what these texts hold. */
  AdaptConfig.Builder config(TaskKind task, String backbone, Sets sets, Path out)
      throws IOException {
    return AdaptConfig.builder()
        .backbone(backbone(backbone))
        .task(task)
        .tokenizer(tokenizer())
        .train(sets.train().toString())
        .validation(sets.validation().toString())
        .test(sets.test().toString())
        .out(out)
        .tune(Tune.lowRank(2))
        .klAuto(false)
        .learningRateSide(1e-2)
        .learningRateHead(2e-2)
        .learningRateNorm(2e-2)
        .learningRateLowRank(2e-2)
        .warmupSteps(5)
        .epochs(3)
        .batch(16)
        .maxLength(24)
        .threads(2);
  }

  private interface Writer {
    String text(int rows, Random random);
  }

  private Sets sets(String kind, String ending, int train, int others, Writer writer)
      throws IOException {
    return new Sets(
        file(kind + "-train" + ending, writer.text(train, new Random(1))),
        file(kind + "-val" + ending, writer.text(others, new Random(2))),
        file(kind + "-test" + ending, writer.text(others, new Random(3))));
  }

  /** Good or bad, said by one word among others; from 2 to 20 words. */
  Sets sentiments(int train, int others) throws IOException {
    return sets("sentiment", ".tsv", train, others, TextFiles::sentiments);
  }

  static String sentiments(int rows, Random random) {
    StringBuilder text = new StringBuilder("label\ttext\n");
    for (int i = 0; i < rows; i++) {
      boolean good = random.nextBoolean();
      text.append(good ? "praise" : "blame").append('\t').append(sentiment(good, random));
      text.append('\n');
    }
    return text.toString();
  }

  static String sentiment(boolean good, Random random) {
    List<String> words = fillers(1 + random.nextInt(random.nextBoolean() ? 4 : 19), random);
    words.add(random.nextInt(words.size() + 1), good ? "good" : "bad");
    return String.join(" ", words);
  }

  /** Texts without labels, as {@link #sentiments}. */
  Path unlabelled(int rows) throws IOException {
    Random random = new Random(4);
    StringBuilder text = new StringBuilder("sentence\n");
    for (int i = 0; i < rows; i++) {
      text.append(sentiment(random.nextBoolean(), random)).append('\n');
    }
    return file("unlabelled.tsv", text.toString());
  }

  /** Whether two texts name the same topic. */
  Sets pairs(int train, int others) throws IOException {
    return sets("pairs", ".csv", train, others, TextFiles::pairs);
  }

  private static String pairs(int rows, Random random) {
    StringBuilder text = new StringBuilder("text,text_b,label\n");
    for (int i = 0; i < rows; i++) {
      boolean same = random.nextBoolean();
      int first = random.nextInt(TOPICS.size());
      int other = (first + 1 + random.nextInt(TOPICS.size() - 1)) % TOPICS.size();
      text.append("\"").append(TOPICS.get(first)).append("\",");
      text.append("\"").append(TOPICS.get(same ? first : other)).append("\",");
      text.append(same ? "same" : "other").append('\n');
    }
    return text.toString();
  }

  /** How good, as a number: the share of good words less that of bad ones. */
  Sets grades(int train, int others) throws IOException {
    return sets("grades", ".tsv", train, others, TextFiles::grades);
  }

  private static String grades(int rows, Random random) {
    StringBuilder text = new StringBuilder("sentence\tscore\n");
    for (int i = 0; i < rows; i++) {
      List<String> words = fillers(1 + random.nextInt(6), random);
      int good = random.nextInt(4);
      int bad = random.nextInt(4);
      words.addAll(Collections.nCopies(good, "good"));
      words.addAll(Collections.nCopies(bad, "bad"));
      Collections.shuffle(words, random);
      double grade = 2 + 3.0 * (good - bad) / words.size();
      text.append(String.join(" ", words)).append('\t').append(grade).append('\n');
    }
    return text.toString();
  }

  /** Names of people and places among other words, some of which are several tokens. */
  Sets names(int train, int others) throws IOException {
    return sets("names", ".conll", train, others, TextFiles::names);
  }

  static String names(int rows, Random random) {
    StringBuilder text = new StringBuilder("-DOCSTART- O\n\n");
    for (int i = 0; i < rows; i++) {
      for (int part = 1 + random.nextInt(5); part > 0; part--) {
        text.append(
            switch (random.nextInt(5)) {
              case 0 -> "john B-PER\nsmith I-PER\n";
              case 1 -> "smith B-PER\n";
              case 2 -> "in O\nberlin B-LOC\n";
              case 3 -> "unlikely O\n";
              default -> FILLERS.get(random.nextInt(FILLERS.size())) + " O\n";
            });
      }
      text.append('\n');
    }
    return text.toString();
  }

  private static List<String> fillers(int count, Random random) {
    List<String> words = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      words.add(FILLERS.get(random.nextInt(FILLERS.size())));
    }
    return words;
  }

  /** Lines of a file below its header. */
  static List<String> rows(Path file) throws IOException {
    List<String> lines = Files.readAllLines(file);
    return lines.subList(1, lines.size());
  }
}
