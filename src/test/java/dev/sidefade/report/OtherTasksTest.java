package dev.sidefade.report;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import dev.sidefade.report.RunReport.EpochRow;
import dev.sidefade.report.RunReport.PredictionSample;
import dev.sidefade.report.svg.Xml;
import java.util.List;
import java.util.Map;
import java.util.OptionalDouble;
import org.junit.jupiter.api.Test;
import org.w3c.dom.Document;

/** Reports of tasks that are not the classification of images. */
class OtherTasksTest {
  private static RunReport regression() {
    return RunReport.builder("similarity")
        .task("regression")
        .scoreName(RunReport.SPEARMAN)
        .measure(RunReport.SPEARMAN, RunReport.TEST, RunReport.LINEAR_PROBE, 0.75)
        .measure(RunReport.SPEARMAN, RunReport.TEST, RunReport.FADED, 0.8125)
        .measure(RunReport.SPEARMAN, RunReport.TEST, RunReport.SIDE, 0.7925)
        .measure(RunReport.SPEARMAN, RunReport.VAL, RunReport.FADED, 0.79)
        .measure(RunReport.PEARSON, RunReport.TEST, RunReport.FADED, 0.8)
        .measure(RunReport.MSE, RunReport.TEST, RunReport.FADED, 1.25)
        .epoch(
            new EpochRow(
                1, Map.of("mse", 2.0), OptionalDouble.of(0.5), OptionalDouble.of(0.4), 1e-3, 1))
        .prediction(PredictionSample.ofText("a cat & a dog", "3.50", "3.41", Double.NaN))
        .memoryBytes(RunReport.ACTIVATIONS_KEPT, 1 << 20)
        .build();
  }

  private static RunReport tokens() {
    return RunReport.builder("names")
        .task("token classification")
        .scoreName(RunReport.F1)
        .accuracy(RunReport.VAL, RunReport.FADED, 0.95)
        .measure(RunReport.F1, RunReport.VAL, RunReport.FADED, 0.75)
        .measure(RunReport.F1, RunReport.VAL, RunReport.SIDE, 0.8)
        .prediction(PredictionSample.ofText("in Bern", "O B-LOC", "O O", 0.5))
        .build();
  }

  private static JsonObject json(RunReport report) {
    return JsonParser.parseString(MetricsJson.toJson(report)).getAsJsonObject();
  }

  private static double at(JsonObject json, String measure, String split, String model) {
    return json.getAsJsonObject(measure).getAsJsonObject(split).get(model).getAsDouble();
  }

  @Test
  void regressionsHaveTheirOwnMeasures() {
    JsonObject json = json(regression());
    assertEquals("spearman", json.get("score").getAsString());
    assertFalse(json.has("accuracy"));
    assertEquals(0.8125, at(json, "spearman", "test", "faded"));
    assertEquals(1.25, at(json, "mse", "test", "faded"));
    for (String measure : List.of("spearman", "pearson", "mse")) {
      for (String split : List.of("val", "test")) {
        for (String model : List.of("linear_probe", "side", "faded")) {
          assertTrue(
              json.getAsJsonObject(measure).getAsJsonObject(split).has(model),
              measure + split + model);
        }
      }
    }
    assertEquals(1 << 20, json.getAsJsonObject("memory_bytes").get("activations_kept").getAsInt());
  }

  @Test
  void tokensHaveAccuracyAndF1() {
    JsonObject json = json(tokens());
    assertEquals("f1", json.get("score").getAsString());
    assertEquals(0.95, at(json, "accuracy", "val", "faded"));
    assertEquals(0.75, at(json, "f1", "val", "faded"));
    assertTrue(json.getAsJsonObject("f1").getAsJsonObject("test").get("faded").isJsonNull());
    JsonObject classes = json(RunReport.builder("classes").build());
    assertEquals("accuracy", classes.get("score").getAsString());
    assertFalse(classes.has("f1") || classes.has("spearman"));
  }

  @Test
  void theHeadlineSpeaksOfTheScore() {
    assertEquals(
        List.of(
            "On the test rows the faded model is 0.063 better than the linear probe (0.813 against"
                + " 0.750).",
            "Keeping the side network would not have been better on the test rows (−0.020)."),
        Headline.findings(regression()));
    assertEquals(
        List.of("A kept side network would have been 5.0 points better on the validation rows."),
        Headline.findings(tokens()));
    assertTrue(Headline.asText(regression()).contains("0.813"));
    assertTrue(Headline.asText(tokens()).contains("75.0 %"));
  }

  @Test
  void thePageSpeaksOfTheScore() {
    Document page = Xml.parse(HtmlReport.toHtml(regression()));
    assertTrue(Xml.texts(page, "div").contains("Spearman correlation, faded, test"));
    assertTrue(Xml.texts(page, "h3").contains("Validation Spearman correlation per epoch"));
    assertTrue(Xml.texts(page, "h2").contains("Further measures"));
    assertTrue(Xml.texts(page, "td").contains("1.25"));
    assertTrue(Xml.texts(page, "div").contains("a cat & a dog"));
    assertTrue(Xml.texts(page, "div").contains("3.41"), "a number is neither right nor wrong");
    String html = HtmlReport.toHtml(regression());
    assertTrue(html.contains("gradient activations"), "memory by its name for people");
    assertFalse(html.contains("sure</div>") || html.contains("NaN"));
    Document names = Xml.parse(HtmlReport.toHtml(tokens()));
    assertTrue(Xml.texts(names, "div").contains("✗ O O"));
    assertTrue(Xml.texts(names, "div").contains("truth: O B-LOC"));
  }

  @Test
  void longTextsAreCutInTheGallery() {
    String text = "𝄞 ".repeat(400);
    RunReport report =
        RunReport.builder("long").prediction(PredictionSample.ofText(text, "", "a", 0.5)).build();
    Document page = Xml.parse(HtmlReport.toHtml(report));
    String shown =
        Xml.texts(page, "div").stream().filter(t -> t.startsWith("𝄞")).findFirst().orElseThrow();
    assertEquals(240, shown.codePointCount(0, shown.length()));
    assertTrue(shown.endsWith("…"));
    assertTrue(Xml.texts(page, "div").contains("a"), "without a truth there is no verdict");
  }

  @Test
  void examplesWithoutLabelsAreCompared() {
    RunReport report =
        RunReport.builder("few labels")
            .accuracy(RunReport.TEST, RunReport.FADED, 0.943)
            .accuracy(RunReport.TEST, RunReport.SIDE, 0.94)
            .withoutUnlabelled(RunReport.TEST, RunReport.FADED, 0.93)
            .withoutUnlabelled(RunReport.TEST, RunReport.SIDE, 0.95)
            .withoutUnlabelled(RunReport.VAL, RunReport.SIDE, 0.95)
            .build();
    assertTrue(
        Headline.findings(report)
            .contains(
                "On the test rows the faded model is 1.3 points better than one without the"
                    + " unlabelled examples (94.3 % against 93.0 %)."),
        Headline.findings(report)::toString);
    Document page = Xml.parse(HtmlReport.toHtml(report));
    assertTrue(Xml.texts(page, "h2").contains("Examples without labels"));
    assertTrue(Xml.texts(page, "td").containsAll(List.of("+1.3 points", "−1.0 points")));
    assertFalse(Xml.texts(page, "th").contains("Side network kept, validation"));
    JsonObject json = json(report);
    assertEquals(0.93, at(json, "without_unlabelled", "test", "faded"));
    assertTrue(json(regression()).get("without_unlabelled").isJsonNull());
  }
}
