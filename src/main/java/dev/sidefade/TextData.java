package dev.sidefade;

import dev.sidefade.backbone.Backbone;
import dev.sidefade.backbone.EmbeddingTables;
import dev.sidefade.backbone.InputSpec;
import dev.sidefade.export.ModelCard;
import dev.sidefade.report.RunReport;
import dev.sidefade.tensor.BadInputException;
import dev.sidefade.tensor.Closer;
import dev.sidefade.tensor.DType;
import dev.sidefade.text.TextExamples;
import dev.sidefade.text.TextInput;
import dev.sidefade.text.TextLimits;
import dev.sidefade.text.TextSplit;
import dev.sidefade.text.TextTokenizer;
import dev.sidefade.train.Task;
import dev.sidefade.train.TextSet;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.IntStream;

/** Opens the texts of an adaptation. */
final class TextData {
  /** Tokens of a text where neither user nor tokenizer names a limit. */
  private static final int DEFAULT = 512;

  private final AdaptConfig config;
  private final Task task;
  private final TextLimits limits;
  private final TextReader reader;
  private final Map<String, DType> inputs;
  private final Closer opened = new Closer();
  private final List<String> notes = new ArrayList<>();

  private TextData(
      AdaptConfig config, TextTokenizer tokenizer, TextLimits limits, Map<String, DType> inputs) {
    this.config = config;
    this.task = task(config.task());
    this.limits = limits;
    this.reader = new TextReader(task, tokenizer, limits, config.strict(), Optional.empty());
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
    Map<String, DType> inputs = inputs(backbone);
    try (TextTokenizer tokenizer = TextTokenizer.open(config.tokenizer().orElseThrow())) {
      TextLimits limits = limits(config.maxLength(), backbone, tokenizer);
      return new TextData(config, tokenizer, limits, inputs).open();
    }
  }

  /** Types by name, in the model's order. */
  private static Map<String, DType> inputs(Backbone backbone) {
    Map<String, DType> inputs = new LinkedHashMap<>();
    for (InputSpec input : backbone.structure().inputs()) {
      if (!input.isInteger()) {
        throw new BadInputException(
            "the backbone takes "
                + input.name()
                + " of type "
                + input.type()
                + " and no token ids: use --task image, or a text backbone");
      }
      TextInput.named(input.name());
      if (input.dims().size() == 2 && input.dims().get(1) >= 0) {
        throw new BadInputException(
            "input "
                + input.name()
                + " of the backbone takes exactly "
                + input.dims().get(1)
                + " tokens; export the model with a dynamic token axis (dynamic_axes or"
                + " dynamic_shapes)");
      }
      inputs.put(input.name(), input.dtype());
    }
    return inputs;
  }

  /**
   * What fits the backbone, and what the user asked for.
   *
   * @param wanted 0 = as much as fits
   */
  static TextLimits limits(int wanted, Backbone backbone, TextTokenizer tokenizer) {
    EmbeddingTables tables =
        EmbeddingTables.of(backbone.model().graph(), idsOf(inputs(backbone).keySet()));
    int possible = tables.positions().orElse(Integer.MAX_VALUE);
    if (wanted > possible) {
      throw new BadInputException(
          "--max-length " + wanted + " is more than the " + possible + " tokens of the backbone");
    }
    int suggested = tokenizer.suggestedLength().orElse(0);
    int length = wanted > 0 ? wanted : Math.min(possible, suggested > 0 ? suggested : DEFAULT);
    return new TextLimits(length, tables.words().orElse(Long.MAX_VALUE));
  }

  /** The name of the input with the token ids. */
  static String idsOf(Collection<String> inputs) {
    return inputs.stream()
        .filter(TextInput.IDS.names()::contains)
        .findFirst()
        .orElseThrow(() ->
            new BadInputException(
                "the model takes " + inputs + " and no token ids: a text model is needed"));
  }

  private AdaptationData open() throws IOException {
    TextExamples train = read(config.train(), "training", Optional.empty());
    List<String> classes = train.classNames();
    if (task != Task.REGRESSION) {
      AdaptationData.requireClasses(classes, config.train());
    }
    Optional<List<String>> fixed =
        task == Task.REGRESSION ? Optional.empty() : Optional.of(classes);
    TextExamples test = config.test().isEmpty() ? null : read(config.test().get(), "test", fixed);
    TextExamples validation;
    if (config.validation().isPresent()) {
      validation = read(config.validation().get(), "validation", fixed);
    } else {
      int all = train.size();
      TextSplit split = TextSplit.holdOut(train, AdaptationData.HELD_OUT, config.seed());
      validation = split.heldOut();
      train = split.train();
      notes.add(AdaptationData.heldOutNote(validation.size(), all));
    }
    int labelled = labelled(train).length;
    train = labelledFirst(train);
    if (config.unlabelled().isPresent()) {
      Path file = Path.of(config.unlabelled().get());
      train = train.with(noted(reader.unlabelled(file), "unlabelled"));
    }
    TextExamples shown = test == null ? validation : test;
    return new AdaptationData(
        task,
        set(train),
        labelled,
        set(validation),
        Optional.ofNullable(test).map(this::set),
        classes,
        Optional.of(new ModelCard.TextInput(limits.maxLength(), reader.pairs())),
        notes,
        (ofTest, example, truth, predicted, probability) ->
            RunReport.PredictionSample.ofText(shown.text(example), truth, predicted, probability),
        opened);
  }

  private static int[] labelled(TextExamples examples) {
    return IntStream.range(0, examples.size()).filter(examples::isLabelled).toArray();
  }

  /** A file may hold rows without a label among the others. */
  private TextExamples labelledFirst(TextExamples train) {
    int[] first = labelled(train);
    if (first.length == train.size()) {
      return train;
    }
    notes.add(AdaptationData.unlabelledNote(train.size() - first.length));
    IntStream others = IntStream.range(0, train.size()).filter(i -> !train.isLabelled(i));
    return train.select(IntStream.concat(IntStream.of(first), others).toArray());
  }

  private TextSet set(TextExamples examples) {
    return new TextSet(examples, task, inputs);
  }

  private TextExamples read(String source, String what, Optional<List<String>> classes)
      throws IOException {
    return noted(reader.labelled(Path.of(source), classes), what);
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
}
