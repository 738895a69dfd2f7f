package dev.sidefade.export;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParseException;
import com.google.gson.JsonParser;
import dev.sidefade.backbone.Preprocessing;
import dev.sidefade.onnx.OnnxModel;
import dev.sidefade.tensor.BadInputException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/**
 * What an exported model says about itself, in the metadata of its file. Nothing in it depends on
 * when it was made, so the same training gives the same bytes.
 *
 * @param kind whether the side network was dropped or kept
 * @param version of Sidefade
 * @param labels names of the classes in the order of the logits
 * @param preprocessing how images are prepared; empty where the model does not take images
 * @param baseSha256 of the backbone's file, 64 hexadecimal digits
 * @param metrics a JSON object, such as accuracies
 * @param task what the model answers; empty in files of versions that knew images only
 * @param text how texts are prepared; empty where the model does not take texts
 */
public record ModelCard(
    Kind kind,
    String version,
    List<String> labels,
    Optional<Preprocessing> preprocessing,
    String baseSha256,
    String metrics,
    Optional<Task> task,
    Optional<TextInput> text) {

  /** Whether the side network was dropped or kept. */
  public enum Kind {
    /** The backbone's graph with other constants. */
    FADED,
    /** Backbone and side network in one graph. */
    KEPT
  }

  /** What a model answers. */
  public enum Task {
    /** Which class an image is of. */
    IMAGE_CLASSIFICATION,
    /** Which class a text or a pair of texts is of. */
    TEXT_CLASSIFICATION,
    /** A number for a text or a pair of texts; there are no labels. */
    REGRESSION,
    /** Which class each token of a text is of. */
    TOKEN_CLASSIFICATION;

    /**
     * As it is written in files: in lower case, with hyphens.
     *
     * @return the name
     */
    public String text() {
      return name().toLowerCase(Locale.ROOT).replace('_', '-');
    }
  }

  /**
   * How texts are prepared.
   *
   * @param maxLength tokens, special ones included, that a text is cut to
   * @param pairs whether there are two texts, tokenised together
   */
  public record TextInput(int maxLength, boolean pairs) {
    /** Checks that some tokens may be left. */
    public TextInput {
      if (maxLength < 1) {
        throw new BadInputException(
            "texts were to be cut to " + maxLength + " tokens; at least 1 is expected");
      }
    }
  }

  private static final String KIND = "sidefade.kind";
  private static final String VERSION = "sidefade.version";
  private static final String LABELS = "sidefade.labels";
  private static final String PREPROCESSING = "sidefade.preprocessing";
  private static final String BASE = "sidefade.base_sha256";
  private static final String METRICS = "sidefade.metrics";
  private static final String TASK = "sidefade.task";
  private static final String MAX_LENGTH = "sidefade.max_length";
  private static final String PAIRS = "sidefade.pairs";
  private static final List<String> KEYS =
      List.of(VERSION, KIND, LABELS, PREPROCESSING, BASE, METRICS, TASK, MAX_LENGTH, PAIRS);

  /** Checks that the metrics are a JSON object, and that numbers have no labels. */
  public ModelCard {
    labels = List.copyOf(labels);
    object(METRICS, metrics);
    if (task.filter(Task.REGRESSION::equals).isPresent() && !labels.isEmpty()) {
      throw malformed(LABELS, "not empty, though the task is regression");
    }
  }

  /**
   * Of a model that does not say its task and takes no texts.
   *
   * @param kind what was exported
   * @param version version of Sidefade
   * @param labels names of the classes, in the order of the logits
   * @param preprocessing how images are prepared; empty where it takes none
   * @param baseSha256 hash of the pretrained model's file
   * @param metrics some figures as JSON
   */
  public ModelCard(
      Kind kind,
      String version,
      List<String> labels,
      Optional<Preprocessing> preprocessing,
      String baseSha256,
      String metrics) {
    this(
        kind,
        version,
        labels,
        preprocessing,
        baseSha256,
        metrics,
        Optional.empty(),
        Optional.empty());
  }

  /**
   * {@return the same of another kind}
   *
   * @param other the new value
   */
  public ModelCard withKind(Kind other) {
    return new ModelCard(other, version, labels, preprocessing, baseSha256, metrics, task, text);
  }

  /**
   * {@return the same for another task}
   *
   * @param other the new value
   * @param input how texts are prepared; empty for images
   */
  public ModelCard withTask(Task other, Optional<TextInput> input) {
    return new ModelCard(
        kind, version, labels, preprocessing, baseSha256, metrics, Optional.of(other), input);
  }

  /**
   * {@return what a model says about itself; empty where Sidefade did not write it}
   *
   * @param model the model
   * @throws BadInputException if it says so in a way that cannot be understood
   */
  public static Optional<ModelCard> read(OnnxModel model) {
    return model.metadata().containsKey(KIND)
        ? Optional.of(of(model.metadata()))
        : Optional.empty();
  }

  /** Puts this into a model's metadata; what an earlier card said there is removed. */
  void writeTo(OnnxModel model) {
    KEYS.forEach(model.metadata()::remove);
    model.metadata().remove(ExportVariant.PRECISION);
    model.metadata().putAll(properties());
  }

  /** Keys and texts, in a fixed order. */
  Map<String, String> properties() {
    JsonArray names = new JsonArray();
    labels.forEach(names::add);
    Map<String, String> properties = new LinkedHashMap<>();
    properties.put(VERSION, version);
    properties.put(KIND, kind.name().toLowerCase(Locale.ROOT));
    properties.put(LABELS, names.toString());
    preprocessing.ifPresent(p -> properties.put(PREPROCESSING, p.toJson()));
    properties.put(BASE, baseSha256);
    properties.put(METRICS, metrics);
    task.ifPresent(t -> properties.put(TASK, t.text()));
    text.ifPresent(t -> {
      properties.put(MAX_LENGTH, Integer.toString(t.maxLength()));
      properties.put(PAIRS, Boolean.toString(t.pairs()));
    });
    return properties;
  }

  /** Reads what {@link #properties} gave. */
  static ModelCard of(Map<String, String> properties) {
    return new ModelCard(
        kind(text(properties, KIND)),
        text(properties, VERSION),
        labels(text(properties, LABELS)),
        Optional.ofNullable(properties.get(PREPROCESSING))
            .map(json -> Preprocessing.fromJson("the property " + PREPROCESSING, json)),
        text(properties, BASE),
        text(properties, METRICS),
        Optional.ofNullable(properties.get(TASK)).map(ModelCard::task),
        textInput(properties));
  }

  private static Task task(String text) {
    for (Task task : Task.values()) {
      if (task.text().equals(text)) {
        return task;
      }
    }
    List<String> known = Arrays.stream(Task.values()).map(Task::text).toList();
    throw new BadInputException(
        "the property "
            + TASK
            + " is \""
            + text
            + "\", but one of "
            + String.join(", ", known)
            + " was expected; export again");
  }

  private static Optional<TextInput> textInput(Map<String, String> properties) {
    String length = properties.get(MAX_LENGTH);
    String pairs = properties.get(PAIRS);
    if (length == null && pairs == null) {
      return Optional.empty();
    }
    if (length == null || !length.matches("[1-9][0-9]{0,8}")) {
      throw malformed(MAX_LENGTH, "no number of tokens");
    }
    if (!"true".equals(pairs) && !"false".equals(pairs)) {
      throw malformed(PAIRS, "neither true nor false");
    }
    return Optional.of(new TextInput(Integer.parseInt(length), "true".equals(pairs)));
  }

  private static Kind kind(String text) {
    for (Kind kind : Kind.values()) {
      if (kind.name().toLowerCase(Locale.ROOT).equals(text)) {
        return kind;
      }
    }
    throw new BadInputException(
        "the property "
            + KIND
            + " is \""
            + text
            + "\", but faded or kept was expected; export again");
  }

  private static List<String> labels(String json) {
    List<String> labels = new ArrayList<>();
    JsonElement parsed = parse(LABELS, json);
    if (!parsed.isJsonArray()) {
      throw malformed(LABELS, "no JSON array");
    }
    for (JsonElement label : parsed.getAsJsonArray()) {
      if (!label.isJsonPrimitive() || !label.getAsJsonPrimitive().isString()) {
        throw malformed(LABELS, "not a list of texts");
      }
      labels.add(label.getAsString());
    }
    return labels;
  }

  private static JsonObject object(String key, String json) {
    JsonElement parsed = parse(key, json);
    if (!parsed.isJsonObject()) {
      throw malformed(key, "no JSON object");
    }
    return parsed.getAsJsonObject();
  }

  private static JsonElement parse(String key, String json) {
    try {
      return JsonParser.parseString(json);
    } catch (JsonParseException e) {
      throw malformed(key, "no JSON");
    }
  }

  private static String text(Map<String, String> properties, String key) {
    String text = properties.get(key);
    if (text == null) {
      throw malformed(key, "missing");
    }
    return text;
  }

  private static BadInputException malformed(String key, String why) {
    return new BadInputException(
        "the property " + key + " is " + why + "; use a file that was exported by Sidefade");
  }
}
