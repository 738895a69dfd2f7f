package dev.sidefade;

import ai.onnxruntime.OrtException;
import dev.sidefade.backbone.EmbeddingTables;
import dev.sidefade.export.ModelCard;
import dev.sidefade.kernels.Device;
import dev.sidefade.onnx.OnnxGraph;
import dev.sidefade.onnx.OnnxModel;
import dev.sidefade.onnx.ValueInfo;
import dev.sidefade.tensor.BadInputException;
import dev.sidefade.tensor.DType;
import dev.sidefade.tensor.Shape;
import dev.sidefade.tensor.Tensor;
import dev.sidefade.text.ConllFile;
import dev.sidefade.text.TextExamples;
import dev.sidefade.text.TextLimits;
import dev.sidefade.text.TextTable;
import dev.sidefade.text.TextTokenizer;
import dev.sidefade.train.Answers;
import dev.sidefade.train.ExampleSet;
import dev.sidefade.train.LiveFeatures;
import dev.sidefade.train.Outcome;
import dev.sidefade.train.Task;
import dev.sidefade.train.TextSet;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.regex.Pattern;
import java.util.stream.IntStream;

/**
 * Runs a text model that {@link Sidefade#adapt} exported. The model itself says what its classes
 * are called and how long texts may be; the tokenizer is the one it was adapted with. May be used
 * by several threads at once.
 */
public final class TextPredictor implements AutoCloseable {
  private static final int BATCH = 32;
  private static final Pattern BLANKS = Pattern.compile("\\s+");

  private final ModelCard card;
  private final Task task;
  private final TextLimits limits;
  private final TextTokenizer tokenizer;
  private final TextModel model;
  private final PredictionListener listener;

  private TextPredictor(
      ModelCard card,
      TextLimits limits,
      TextTokenizer tokenizer,
      TextModel model,
      PredictionListener listener) {
    this.card = card;
    this.listener = listener;
    this.task = taskOf(card);
    this.limits = limits;
    this.tokenizer = tokenizer;
    this.model = model;
  }

  private static Task taskOf(ModelCard card) {
    return switch (card.task().orElse(ModelCard.Task.TEXT_CLASSIFICATION)) {
      case IMAGE_CLASSIFICATION, TEXT_CLASSIFICATION -> Task.CLASSES;
      case REGRESSION -> Task.REGRESSION;
      case TOKEN_CLASSIFICATION -> Task.TOKENS;
    };
  }

  /**
   * Opens a model with its tokenizer.
   *
   * @param model file of the exported model
   * @param tokenizer the {@code tokenizer.json} that the model was adapted with
   * @param threads that compute one operator; 0 leaves the choice to ONNX Runtime
   * @return the predictor, to be closed
   * @throws BadInputException if one of the files is malformed, the model takes no texts, or the
   *     tokenizer has ids that the model does not know
   * @throws IOException if a file cannot be read
   */
  public static TextPredictor open(Path model, Path tokenizer, int threads) throws IOException {
    return open(model, tokenizer, threads, PredictionListener.SILENT);
  }

  /**
   * Opens a model with its tokenizer, whose calls are measured.
   *
   * @param model file of the exported model
   * @param tokenizer the {@code tokenizer.json} that the model was adapted with
   * @param threads that compute one operator; 0 leaves the choice to ONNX Runtime
   * @param listener hears of every call of {@link #predict}
   * @return the predictor, to be closed
   * @throws BadInputException if one of the files is malformed, the model takes no texts, or the
   *     tokenizer has ids that the model does not know
   * @throws IOException if a file cannot be read
   */
  public static TextPredictor open(
      Path model, Path tokenizer, int threads, PredictionListener listener) throws IOException {
    OnnxModel read = OnnxModel.read(model);
    ModelCard card =
        ModelCard.read(read)
            .orElseThrow(() ->
                new BadInputException(
                    model
                        + " does not say what its classes are: use a model that adapt"
                        + " exported"));
    if (card.text().isEmpty()) {
      throw new BadInputException(
          model + " takes images and no texts: leave the tokenizer away, or use a text model");
    }
    TextTokenizer opened = TextTokenizer.open(tokenizer);
    try {
      TextLimits limits = limits(card, read.graph());
      opened.requireFits(limits.vocabularyRows());
      boolean regression = taskOf(card) == Task.REGRESSION;
      TextModel loaded =
          TextModel.open(
              model, threads, taskOf(card) == Task.TOKENS, regression ? 1 : card.labels().size());
      return new TextPredictor(card, limits, opened, loaded, listener);
    } catch (OrtException e) {
      opened.close();
      throw new BadInputException(
          "ONNX Runtime cannot load "
              + model
              + ": "
              + String.valueOf(e.getMessage()).lines().findFirst().orElse(""),
          e);
    } catch (RuntimeException e) {
      opened.close();
      throw e;
    }
  }

  private static TextLimits limits(ModelCard card, OnnxGraph graph) {
    String ids = TextData.idsOf(graph.fedInputs().stream().map(ValueInfo::name).toList());
    return new TextLimits(
        card.text().orElseThrow().maxLength(),
        EmbeddingTables.of(graph, ids).words().orElse(Long.MAX_VALUE));
  }

  /** {@return names of the classes in the order of the logits; empty for a regression} */
  public List<String> labels() {
    return card.labels();
  }

  /** {@return what the model answers} */
  public TaskKind task() {
    return switch (task) {
      case CLASSES -> TaskKind.TEXT;
      case REGRESSION -> TaskKind.REGRESSION;
      case TOKENS -> TaskKind.TOKENS;
    };
  }

  /** {@return whether the model compares two texts} */
  public boolean pairs() {
    return card.text().orElseThrow().pairs();
  }

  /**
   * {@return what the model says of some texts, in their order}
   *
   * @param texts the texts, each with at least one word
   * @param second the second text of each pair; empty where the model takes single texts
   * @param top classes of each text
   * @throws BadInputException if a text is blank, or pairs are needed and not given
   */
  public List<TextPrediction> predict(List<String> texts, List<String> second, int top) {
    if (texts.isEmpty() && second.isEmpty()) {
      return List.of();
    }
    if (second.isEmpty() == pairs() || !second.isEmpty() && second.size() != texts.size()) {
      throw new BadInputException(
          pairs()
              ? "the model compares two texts: give a second one for each of the " + texts.size()
              : "the model takes single texts: give no second ones");
    }
    long begin = System.nanoTime();
    List<TextPrediction> predictions = compute(texts, second, top);
    listener.predicted(texts.size(), Duration.ofNanos(System.nanoTime() - begin));
    return predictions;
  }

  /**
   * Runs the model once on a short text, so that the first real one does not wait for ONNX Runtime
   * to take its memory. The listener does not hear of it.
   */
  public void warmUp() {
    compute(List.of("a"), pairs() ? List.of("a") : List.of(), 1);
  }

  private List<TextPrediction> compute(List<String> texts, List<String> second, int top) {
    TextExamples examples = task == Task.TOKENS ? words(texts) : table(texts, second);
    TextPrediction[] predictions = new TextPrediction[texts.size()];
    TextSet set = new TextSet(examples, task, model.inputs());
    try (Arena arena = Arena.ofConfined();
        ExampleSet.Loader loader = set.load(0, set.walk(), BATCH)) {
      for (int done = 0; done < set.size(); ) {
        ExampleSet.Loaded batch = loader.next();
        int count = batch.examples().length;
        Shape shape = Shape.of(model.outputs().getFirst().shape(count, batch.tokens()));
        Tensor logits = Tensor.wrap(arena.allocate(shape.size() * 4, 64), shape, DType.F32);
        model.run(batch.inputs(), count, List.of(logits));
        float[] values = logits.toFloats();
        int each = values.length / count;
        for (int i = 0; i < count; i++) {
          float[] own = Arrays.copyOfRange(values, i * each, (i + 1) * each);
          predictions[batch.examples()[i]] = prediction(own, examples, batch.examples()[i], top);
        }
        done += count;
      }
    }
    return List.of(predictions);
  }

  private TextExamples table(List<String> texts, List<String> second) {
    List<TextTable.Row> rows = new ArrayList<>();
    for (int i = 0; i < texts.size(); i++) {
      requireWords(texts.get(i));
      Optional<String> other = second.isEmpty() ? Optional.empty() : Optional.of(second.get(i));
      other.ifPresent(TextPredictor::requireWords);
      rows.add(new TextTable.Row(i + 1, texts.get(i), other, Optional.empty()));
    }
    TextTable table = new TextTable("the texts", rows, !second.isEmpty(), false, 0, 0);
    return TextExamples.unlabelled(table, tokenizer, limits);
  }

  private static void requireWords(String text) {
    if (text.isBlank()) {
      throw new BadInputException("a text is blank: give at least one word");
    }
  }

  private TextExamples words(List<String> texts) {
    List<ConllFile.Sentence> sentences = new ArrayList<>();
    for (String text : texts) {
      requireWords(text);
      List<String> words = List.of(BLANKS.split(text.strip()));
      sentences.add(new ConllFile.Sentence(sentences.size() + 1, words, List.of()));
    }
    ConllFile file = new ConllFile("the texts", sentences, false);
    return TextExamples.tokens(file, tokenizer, limits, Optional.of(labels()));
  }

  private TextPrediction prediction(float[] logits, TextExamples examples, int example, int top) {
    return switch (task) {
      case CLASSES ->
          new TextPrediction(
              Ranking.of(logits, labels()).stream().limit(top).toList(),
              OptionalDouble.empty(),
              List.of());
      case REGRESSION -> new TextPrediction(List.of(), OptionalDouble.of(logits[0]), List.of());
      case TOKENS ->
          new TextPrediction(
              List.of(), OptionalDouble.empty(), wordTags(logits, examples, example));
    };
  }

  private List<WordTag> wordTags(float[] logits, TextExamples examples, int example) {
    List<WordTag> tags = new ArrayList<>();
    List<String> words = examples.words(example);
    int[] first = examples.firstPieces(example);
    int classes = labels().size();
    for (int token = 0; token < first.length; token++) {
      if (first[token] >= 0) {
        float[] row = Arrays.copyOfRange(logits, token * classes, (token + 1) * classes);
        Prediction best = Ranking.of(row, labels()).getFirst();
        tags.add(new WordTag(words.get(first[token]), best.label(), best.probability()));
      }
    }
    return tags;
  }

  /**
   * Measures over labelled texts: "accuracy" for classes, with "f1" where they are those of spans
   * of words, "spearman", "pearson" and "mse" for numbers; and counts: "examples" that have a
   * label, and how many were "truncated" or "skipped", if any.
   *
   * @param source as {@link AdaptConfig#train}
   * @param strict whether one empty text is an error
   * @return the measures by name
   * @throws BadInputException if it has no labels or others than the model, or pairs of texts where
   *     the model takes single ones or the other way round
   * @throws IOException if the file cannot be read
   */
  public Map<String, Double> evaluate(String source, boolean strict) throws IOException {
    Optional<Boolean> inPairs = task == Task.TOKENS ? Optional.empty() : Optional.of(pairs());
    TextExamples examples =
        new TextReader(task, tokenizer, limits, strict, inPairs)
            .labelled(Path.of(source), Optional.of(labels()));
    TextSet set = new TextSet(examples, task, model.inputs());
    Answers answers =
        task == Task.REGRESSION
            ? new Answers(task, 1, List.of())
            : new Answers(task, labels().size(), labels());
    // the model's logits are the features, and there is no network behind them
    try (Device device = Device.cpu(1);
        LiveFeatures feed = new LiveFeatures(set, model, 0, BATCH, device)) {
      Outcome outcome = Outcome.of(feed, BATCH, answers, (features, batch) -> features.last());
      return measures(outcome, examples);
    }
  }

  private Map<String, Double> measures(Outcome outcome, TextExamples examples) {
    Map<String, Double> measures = new LinkedHashMap<>(outcome.measures());
    long labelled = IntStream.range(0, examples.size()).filter(examples::isLabelled).count();
    measures.put("examples", (double) labelled);
    if (examples.truncated() > 0) {
      measures.put("truncated", (double) examples.truncated());
    }
    if (examples.skipped() > 0) {
      measures.put("skipped", (double) examples.skipped());
    }
    return measures;
  }

  @Override
  public void close() {
    model.close();
    tokenizer.close();
  }
}
