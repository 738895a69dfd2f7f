package dev.sidefade.cli;

import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import dev.sidefade.Prediction;
import dev.sidefade.TextPrediction;
import dev.sidefade.data.ByteOrderMark;
import dev.sidefade.tensor.BadInputException;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.charset.CharacterCodingException;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;

/**
 * Reads texts, one a line, and prints what a model says about each. Blank lines are passed over.
 * Lines are taken together as long as more are waiting, so that a pipe is answered at once and a
 * file is fast.
 */
final class TextLines {
  private static final int MOST_TOGETHER = 64;
  private static final String BETWEEN = "\t";

  private final Model model;
  private final int top;
  private final boolean pairs;
  private final boolean json;
  private final PrintWriter out;

  /** What says something about texts. */
  @FunctionalInterface
  interface Model {
    /**
     * One prediction for each text.
     *
     * @param seconds the second texts of pairs; empty for single texts
     */
    List<TextPrediction> predict(List<String> texts, List<String> seconds, int top)
        throws IOException;
  }

  /** Texts without blanks at their ends, as tables have them. */
  private record Line(long number, String text, String second) {}

  /**
   * @param top how many classes to name
   * @param pairs whether the model compares two texts: a line holds them with a tab between
   * @param json whether the output is for a program
   */
  TextLines(Model model, int top, boolean pairs, boolean json, PrintWriter out) {
    this.model = model;
    this.top = top;
    this.pairs = pairs;
    this.json = json;
    this.out = out;
  }

  /**
   * Answers all lines.
   *
   * @param source named in the output and in errors; "-" for the standard input
   * @throws BadInputException if a line is not UTF-8 or no pair; the lines before it are answered
   */
  void predict(String source, BufferedReader lines) throws IOException {
    List<Line> waiting = new ArrayList<>();
    long number = 0;
    try {
      for (String text = next(lines, source, 0); text != null; text = next(lines, source, number)) {
        number++;
        String plain = number == 1 ? ByteOrderMark.strip(text) : text;
        if (!plain.isBlank()) {
          waiting.add(line(source, number, plain));
        }
        if (waiting.size() == MOST_TOGETHER || !lines.ready()) {
          answer(source, waiting);
        }
      }
    } finally {
      answer(source, waiting);
    }
  }

  private static String next(BufferedReader lines, String source, long read) throws IOException {
    try {
      return lines.readLine();
    } catch (CharacterCodingException e) {
      throw notUtf8(source, read, e);
    }
  }

  private static BadInputException notUtf8(String source, long read, Exception e) {
    // the decoder reads ahead, so the exact line is not known
    return new BadInputException(
        name(source) + " is not text in UTF-8 somewhere after line " + read, e);
  }

  private static String name(String source) {
    return source.equals("-") ? "the standard input" : source;
  }

  private Line line(String source, long number, String text) {
    if (!pairs) {
      return new Line(number, text.strip(), "");
    }
    String[] parts = text.split(BETWEEN, -1);
    if (parts.length != 2) {
      throw new BadInputException(
          "line "
              + number
              + " of "
              + name(source)
              + " has "
              + (parts.length - 1)
              + " tabs, but the model compares two texts: one tab was expected between them");
    }
    if (parts[0].isBlank() || parts[1].isBlank()) {
      throw new BadInputException(
          "line " + number + " of " + name(source) + " lacks one of the two texts of its pair");
    }
    return new Line(number, parts[0].strip(), parts[1].strip());
  }

  private void answer(String source, List<Line> lines) throws IOException {
    if (lines.isEmpty()) {
      return;
    }
    List<Line> asked = List.copyOf(lines);
    // before anything can fail: no line is asked twice
    lines.clear();
    List<TextPrediction> predictions =
        model.predict(
            asked.stream().map(Line::text).toList(),
            pairs ? asked.stream().map(Line::second).toList() : List.of(),
            top);
    for (int i = 0; i < asked.size(); i++) {
      TextPrediction prediction = predictions.get(i);
      Line line = asked.get(i);
      out.println(json ? Json.line(toJson(source, line, prediction)) : toText(line, prediction));
    }
    out.flush();
  }

  private JsonObject toJson(String source, Line line, TextPrediction prediction) {
    JsonObject object = new JsonObject();
    object.addProperty("file", source);
    object.addProperty("line", line.number);
    object.addProperty("text", line.text);
    if (pairs) {
      object.addProperty("text_b", line.second);
    }
    if (prediction.value().isPresent()) {
      object.addProperty("value", prediction.value().getAsDouble());
    } else if (!prediction.words().isEmpty()) {
      JsonArray words = new JsonArray();
      prediction
          .words()
          .forEach(word -> {
            JsonObject one = new JsonObject();
            one.addProperty("word", word.word());
            one.addProperty("tag", word.tag());
            one.addProperty("probability", word.probability());
            words.add(one);
          });
      object.add("words", words);
    } else {
      object.add("predictions", PredictCommand.toJson(prediction.classes()));
    }
    return object;
  }

  private String toText(Line line, TextPrediction prediction) {
    if (!prediction.words().isEmpty()) {
      return prediction.words().stream()
          .map(word -> word.word() + "/" + word.tag())
          .collect(Collectors.joining(" "));
    }
    String answer =
        prediction.value().isPresent()
            ? String.format(Locale.ROOT, "%.4f", prediction.value().getAsDouble())
            : toText(prediction.classes());
    return answer + BETWEEN + line.text + (pairs ? BETWEEN + line.second : "");
  }

  /** Classes with their probabilities, as for images. */
  static String toText(List<Prediction> predictions) {
    return predictions.stream()
        .map(p -> String.format(Locale.ROOT, "%s %.1f %%", p.label(), 100 * p.probability()))
        .collect(Collectors.joining(", "));
  }
}
