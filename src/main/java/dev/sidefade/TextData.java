package dev.sidefade;

import dev.sidefade.backbone.Backbone;
import dev.sidefade.backbone.EmbeddingTables;
import dev.sidefade.backbone.InputSpec;
import dev.sidefade.export.ModelCard;
import dev.sidefade.onnx.ElementType;
import dev.sidefade.report.RunReport;
import dev.sidefade.tensor.BadInputException;
import dev.sidefade.text.ConllFile;
import dev.sidefade.text.TextExamples;
import dev.sidefade.text.TextInput;
import dev.sidefade.text.TextLimits;
import dev.sidefade.text.TextSplit;
import dev.sidefade.text.TextTable;
import dev.sidefade.text.TextTokenizer;
import dev.sidefade.train.Task;
import dev.sidefade.train.TextSet;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.stream.IntStream;

/** Opens the texts of an adaptation. */
final class TextData {
  private final AdaptConfig config;
  private final Task task;
  private final TextTokenizer tokenizer;
  private final TextLimits limits;
  private final List<String> inputs;
  private final Closer opened = new Closer();
  private final List<String> notes = new ArrayList<>();

  /** Whether the training examples are pairs of texts. */
  private boolean pairs;

  private TextData(
      AdaptConfig config, TextTokenizer tokenizer, TextLimits limits, List<String> inputs) {
    this.config = config;
    this.task = task(config.task());
    this.tokenizer = tokenizer;
    this.limits = limits;
    this.inputs = inputs;
  }

  private static Task task(TaskKind kind) {
    return switch (kind) {
      case IMAGE, TEXT -> Task.CLASSES;
      case REGRESSION -> Task.REGRESSION;
      case TOKENS -> Task.TOKENS;
    };
  }

  /** Opens and tokenises all sources. */
  static AdaptationData open(AdaptConfig config, Backbone backbone) throws IOException {
    List<String> inputs = inputs(backbone);
    try (TextTokenizer tokenizer = TextTokenizer.open(config.tokenizer().orElseThrow())) {
      TextLimits limits = limits(config.maxLength(), backbone, tokenizer);
      return new TextData(config, tokenizer, limits, inputs).open();
    }
  }

  private static List<String> inputs(Backbone backbone) {
    for (InputSpec input : backbone.structure().inputs()) {
      if (input.type() != ElementType.INT64) {
        throw new BadInputException(
            "the backbone takes "
                + input.name()
                + " of type "
                + input.type()
                + " and no token ids: use --task image, or a text backbone");
      }
      TextInput.named(input.name());
    }
    return backbone.structure().inputs().stream().map(InputSpec::name).toList();
  }

  /**
   * What fits the backbone, and what the user asked for.
   *
   * @param wanted 0 = as much as fits
   */
  static TextLimits limits(int wanted, Backbone backbone, TextTokenizer tokenizer) {
    EmbeddingTables tables = backbone.embeddingTables();
    int possible = tables.positions().orElse(Integer.MAX_VALUE);
    if (wanted > possible) {
      throw new BadInputException(
          "--max-length " + wanted + " is more than the " + possible + " tokens of the backbone");
    }
    OptionalInt suggested = tokenizer.suggestedLength();
    int length =
        wanted > 0 ? wanted : Math.min(possible, suggested.orElse(Math.min(possible, DEFAULT)));
    return new TextLimits(length, tables.words().orElse(Long.MAX_VALUE));
  }

  /** Tokens of a text where neither user nor tokenizer names a limit. */
  private static final int DEFAULT = 512;

  private AdaptationData open() throws IOException {
    TextExamples train = read(config.train(), "training", Optional.empty());
    pairs = task != Task.TOKENS && TextTable.read(Path.of(config.train()), false).pairs();
    List<String> classes = train.classNames();
    if (task != Task.REGRESSION) {
      AdaptationData.requireClasses(classes, config.train());
    }
    requireLabels(train, config.train());
    Optional<List<String>> fixed =
        task == Task.REGRESSION ? Optional.empty() : Optional.of(classes);
    TextExamples test = config.test().isEmpty() ? null : read(config.test().get(), "test", fixed);
    TextExamples validation;
    if (config.validation().isPresent()) {
      validation = read(config.validation().get(), "validation", fixed);
      requireLabels(validation, config.validation().get());
    } else {
      int all = train.size();
      TextSplit split = TextSplit.holdOut(train, AdaptationData.HELD_OUT, config.seed());
      validation = split.heldOut();
      train = split.train();
      notes.add(AdaptationData.heldOutNote(validation.size(), all));
    }
    int labelled = train.size();
    if (config.unlabelled().isPresent()) {
      train = train.with(unlabelled(config.unlabelled().get()));
    }
    TextExamples shown = test == null ? validation : test;
    return new AdaptationData(
        task,
        set(train),
        labelled,
        set(validation),
        Optional.ofNullable(test).map(this::set),
        classes,
        Optional.of(new ModelCard.TextInput(limits.maxLength(), pairs)),
        notes,
        (ofTest, example, truth, predicted, probability) ->
            RunReport.PredictionSample.ofText(
                shown.text(example), truth, predicted, probability),
        opened);
  }

  private TextSet set(TextExamples examples) {
    return new TextSet(examples, task, inputs);
  }

  private TextExamples read(String source, String what, Optional<List<String>> classes)
      throws IOException {
    Path file = Path.of(source);
    TextExamples examples =
        switch (task) {
          case CLASSES ->
              TextExamples.classification(
                  TextTable.read(file, config.strict()), tokenizer, limits, classes);
          case REGRESSION ->
              TextExamples.regression(TextTable.read(file, config.strict()), tokenizer, limits);
          case TOKENS -> TextExamples.tokens(ConllFile.read(file), tokenizer, limits, classes);
        };
    return noted(examples, what);
  }

  private TextExamples unlabelled(String source) throws IOException {
    Path file = Path.of(source);
    TextExamples examples =
        task == Task.TOKENS
            ? TextExamples.tokens(ConllFile.read(file), tokenizer, limits, Optional.empty())
            : TextExamples.unlabelled(TextTable.read(file, config.strict()), tokenizer, limits);
    return noted(examples, "unlabelled");
  }

  private TextExamples noted(TextExamples examples, String what) {
    if (examples.truncated() > 0) {
      notes.add(
          examples.truncated()
              + " of "
              + examples.size()
              + " "
              + what
              + " texts were longer than "
              + limits.maxLength()
              + " tokens and were cut.");
    }
    if (examples.skipped() > 0) {
      notes.add(examples.skipped() + " empty " + what + " lines or texts were skipped.");
    }
    return examples;
  }

  private static void requireLabels(TextExamples examples, String source) {
    if (IntStream.range(0, examples.size()).noneMatch(examples::isLabelled)) {
      throw new BadInputException(
          "the source " + source + " has no labels: give a file with a column label");
    }
  }
}
