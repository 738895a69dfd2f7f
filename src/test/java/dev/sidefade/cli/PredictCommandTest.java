package dev.sidefade.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import dev.sidefade.Prediction;
import dev.sidefade.Predictor;
import dev.sidefade.data.UnreadableImageException;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** What predict and evaluate print. */
class PredictCommandTest {
  private final StringWriter out = new StringWriter();
  private final StringWriter err = new StringWriter();

  private int predict(boolean json, String... files) throws IOException {
    List<Prediction> all =
        List.of(
            new Prediction(2, "rose", 0.75),
            new Prediction(0, "\"tulip\"", 0.2),
            new Prediction(1, "iris", 0.05));
    PredictCommand.Classifier classifier =
        (image, top) ->
            switch (image.toString()) {
              case "bad.png" -> throw new UnreadableImageException("bad.png", "it is truncated");
              case "gone.png" -> throw new NoSuchFileException("gone.png");
              case "bug.png" -> throw new IllegalStateException("bug");
              default -> all.subList(0, top);
            };
    return PredictCommand.predictAll(
        classifier,
        List.of(files).stream().map(Path::of).toList(),
        2,
        json,
        new PrintWriter(out, true),
        new PrintWriter(err, true));
  }

  @Test
  void peopleGetALineForEachFile() throws IOException {
    assertEquals(0, predict(false, "a.png", "b.png"));
    assertEquals(
        "a.png: rose 75.0 %, \"tulip\" 20.0 %\nb.png: rose 75.0 %, \"tulip\" 20.0 %\n",
        out.toString());
    assertEquals("", err.toString());
  }

  @Test
  void programsGetAnObjectForEachLine() throws IOException {
    assertEquals(0, predict(true, "a \"1\".png", "b.png"));
    List<String> lines = out.toString().lines().toList();
    assertEquals(2, lines.size());
    JsonObject first = JsonParser.parseString(lines.getFirst()).getAsJsonObject();
    assertEquals("a \"1\".png", first.get("file").getAsString());
    assertEquals(
        "{\"label\":\"\\\"tulip\\\"\",\"index\":0,\"probability\":0.2}",
        first.getAsJsonArray("predictions").get(1).toString());
  }

  @Test
  void unreadableFilesDoNotStopTheOthers() throws IOException {
    assertEquals(2, predict(true, "a.png", "bad.png", "gone.png", "b.png"));
    assertEquals(2, out.toString().lines().count());
    assertEquals(
        """
        error: image bad.png cannot be read: it is truncated
        error: gone.png does not exist; check the path
        """,
        err.toString());
  }

  @Test
  void otherFailuresEndTheCommand() {
    assertThrows(IllegalStateException.class, () -> predict(true, "a.png", "bug.png", "b.png"));
    assertEquals(1, out.toString().lines().count());
  }

  @Test
  void wrongUseIsRefusedBeforeTheModelIsOpened() {
    assertTrue(Cli.run("predict", "--model=m", "--top=0", "f").refusal().contains("--top"));
    assertTrue(
        Cli.run("predict", "--model=m", "--threads=-2", "f").refusal().contains("--threads"));
    assertTrue(Cli.run("predict", "--model=m").refusal().contains("FILE"));
    assertTrue(Cli.run("predict", "--model=m").refusal().contains("--tokenizer"));
    assertTrue(Cli.run("predict", "f").refusal().contains("--model"));
    assertTrue(Cli.run("evaluate", "--model=m").refusal().contains("--data"));
    assertTrue(
        Cli.run("evaluate", "--model=m", "--data=d", "--threads=-1")
            .refusal()
            .contains("--threads"));
  }

  @Test
  void evaluationsAreThoseOfTheContract() {
    Predictor.Evaluation evaluation = new Predictor.Evaluation(0.9309, 797, 0, new long[0][]);
    assertEquals(
        "{\"accuracy\":0.9309,\"examples\":797}", Json.line(EvaluateCommand.toJson(evaluation)));
    assertEquals("accuracy 93.09 % on 797 examples", EvaluateCommand.toText(evaluation));
  }

  @Test
  void measuresOfTextsArePrintedByName() {
    Map<String, Double> measures = new LinkedHashMap<>();
    measures.put("f1", 0.5);
    measures.put("spearman", 0.25);
    measures.put("pearson", Double.NaN);
    measures.put("examples", 12.0);
    assertEquals(
        "{\"f1\":0.5,\"spearman\":0.25,\"pearson\":null,\"examples\":12}",
        Json.line(EvaluateCommand.toJson(measures)));
    assertEquals(
        "f1 50.00 %, spearman 0.2500, pearson NaN on 12 examples",
        EvaluateCommand.toText(measures));
  }
}
