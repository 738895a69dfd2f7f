package dev.sidefade.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import dev.sidefade.Prediction;
import dev.sidefade.TextPrediction;
import dev.sidefade.WordTag;
import dev.sidefade.tensor.BadInputException;
import java.io.BufferedReader;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintWriter;
import java.io.StringReader;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalDouble;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** Lines of text and what is said about them. */
class TextLinesTest {
  private final StringWriter out = new StringWriter();
  private final List<Integer> together = new ArrayList<>();

  private List<TextPrediction> classes(List<String> texts, List<String> seconds, int top) {
    together.add(texts.size());
    return texts.stream()
        .map(text ->
            new TextPrediction(
                List.of(
                        new Prediction(1, "len " + text.length(), 0.75),
                        new Prediction(0, "other", 0.25))
                    .subList(0, top),
                OptionalDouble.empty(),
                List.of()))
        .toList();
  }

  private TextLines lines(TextLines.Model model, int top, boolean pairs, boolean json) {
    return new TextLines(model, top, pairs, json, new PrintWriter(out));
  }

  private static BufferedReader reader(String text) {
    return new BufferedReader(new StringReader(text));
  }

  @Test
  void textsAreReadAsInTables() throws IOException {
    lines(this::classes, 1, false, false).predict("a.txt", reader("\uFEFFgood \n\tbad\n"));
    assertEquals("len 4 75.0 %\tgood\nlen 3 75.0 %\tbad\n", out.toString());
    together.clear();
    lines(this::classes, 1, false, false).predict("b.txt", reader("\uFEFF\n"));
    assertEquals(List.of(), together, "a mark alone is no text");
  }

  @Test
  void peopleGetTheAnswerBeforeTheLine() throws IOException {
    lines(this::classes, 2, false, false).predict("a.txt", reader("good\n\n  \nvery good"));
    assertEquals(
        "len 4 75.0 %, other 25.0 %\tgood\nlen 9 75.0 %, other 25.0 %\tvery good\n",
        out.toString());
  }

  @Test
  void programsGetAnObjectPerLine() throws IOException {
    lines(this::classes, 1, false, true).predict("-", reader("a \"b\"\n\nc\n"));
    List<String> answers = out.toString().lines().toList();
    assertEquals(2, answers.size());
    assertEquals(
        "{\"file\":\"-\",\"line\":1,\"text\":\"a \\\"b\\\"\",\"predictions\":"
            + "[{\"label\":\"len 5\",\"index\":1,\"probability\":0.75}]}",
        answers.getFirst());
    JsonObject second = JsonParser.parseString(answers.getLast()).getAsJsonObject();
    assertEquals(3, second.get("line").getAsInt());
  }

  @Test
  void pairsNumbersAndWords() throws IOException {
    TextLines.Model similarity =
        (texts, seconds, top) ->
            IntStream.range(0, texts.size())
                .mapToObj(i ->
                    new TextPrediction(
                        List.of(),
                        OptionalDouble.of(texts.get(i).length() - seconds.get(i).length()),
                        List.of()))
                .toList();
    lines(similarity, 1, true, false).predict("-", reader("abc\ta\n"));
    lines(similarity, 1, true, true).predict("-", reader("abc\ta\n"));
    assertEquals(
        "2.0000\tabc\ta\n"
            + "{\"file\":\"-\",\"line\":1,\"text\":\"abc\",\"text_b\":\"a\",\"value\":2.0}\n",
        out.toString());
    out.getBuffer().setLength(0);
    TextLines.Model tagger =
        (texts, seconds, top) ->
            List.of(
                new TextPrediction(
                    List.of(), OptionalDouble.empty(), List.of(new WordTag("Bern", "B-LOC", 0.5))));
    lines(tagger, 1, false, false).predict("-", reader("Bern"));
    lines(tagger, 1, false, true).predict("-", reader("Bern"));
    assertEquals(
        "Bern/B-LOC\n{\"file\":\"-\",\"line\":1,\"text\":\"Bern\",\"words\":"
            + "[{\"word\":\"Bern\",\"tag\":\"B-LOC\",\"probability\":0.5}]}\n",
        out.toString());
  }

  @Test
  void waitingLinesGoTogether() throws IOException {
    String text =
        IntStream.range(0, 150).mapToObj(i -> "line " + i).collect(Collectors.joining("\n"));
    lines(this::classes, 1, false, false).predict("a", reader(text));
    assertEquals(150, out.toString().lines().count());
    assertEquals(List.of(64, 64, 22), together);
  }

  /** Somebody who types a line gets its answer before the next. */
  @Test
  void aLineAloneIsAnsweredAtOnce() throws IOException {
    BufferedReader typed =
        new BufferedReader(new StringReader("one\ntwo\n")) {
          @Override
          public boolean ready() {
            return false;
          }
        };
    lines(this::classes, 1, false, false).predict("-", typed);
    assertEquals(List.of(1, 1), together);
  }

  @Test
  void wrongLinesAreNamedAndThoseBeforeAnswered() {
    for (String bad : List.of("no tab", "a\tb\tc", "\tb", "a\t ")) {
      out.getBuffer().setLength(0);
      TextLines lines = lines(this::classes, 1, true, false);
      BadInputException e =
          assertThrows(
              BadInputException.class, () -> lines.predict("f.txt", reader("x\ty\n" + bad)));
      assertTrue(e.getMessage().contains("line 2 of f.txt"), e.getMessage());
      assertEquals(1, out.toString().lines().count());
    }
  }

  @Test
  void bytesThatAreNoTextAreRefused() {
    byte[] bytes = {'o', 'k', '\n', (byte) 0xff, (byte) 0xfe, '\n'};
    BufferedReader broken =
        new BufferedReader(
            new InputStreamReader(
                new ByteArrayInputStream(bytes), StandardCharsets.UTF_8.newDecoder()));
    TextLines lines = lines(this::classes, 1, false, false);
    BadInputException e = assertThrows(BadInputException.class, () -> lines.predict("-", broken));
    assertTrue(e.getMessage().contains("the standard input is not text in UTF-8"), e.getMessage());
  }

  @Test
  void noLinesNoAnswers() throws IOException {
    lines(this::classes, 1, false, true).predict("-", reader("\n \n"));
    assertEquals("", out.toString());
    assertEquals(List.of(), together);
  }
}
