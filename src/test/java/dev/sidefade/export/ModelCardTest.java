package dev.sidefade.export;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.sidefade.backbone.Preprocessing;
import dev.sidefade.onnx.OnnxModel;
import dev.sidefade.tensor.BadInputException;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class ModelCardTest {
  private static final ModelCard CARD =
      new ModelCard(
          ModelCard.Kind.FADED,
          "1.2",
          List.of("a", "größer", "\"quoted\"", ""),
          Optional.of(
              new Preprocessing(
                  3,
                  8,
                  9,
                  new float[] {0.1f, 0.2f, 0.3f},
                  new float[] {0.5f},
                  Preprocessing.Resize.BICUBIC,
                  true,
                  0.875)),
          "ab".repeat(32),
          "{\"accuracy\":{\"val\":0.5}}");

  @Test
  void whatIsWrittenIsRead() {
    OnnxModel model = OnnxModel.create(8, 17);
    model.metadata().put("other", "stays");
    CARD.writeTo(model);
    assertEquals(Optional.of(CARD), ModelCard.read(model));
    ModelCard text =
        new ModelCard(ModelCard.Kind.KEPT, "2", List.of("x"), Optional.empty(), "00", "{}");
    text.writeTo(model);
    assertEquals(Optional.of(text), ModelCard.read(model));
    assertEquals("stays", model.metadata().get("other"));
    assertFalse(model.metadata().containsKey("sidefade.preprocessing"));
  }

  @Test
  void keysAreThoseThatAreDocumented() {
    Map<String, String> properties = CARD.properties();
    assertEquals("faded", properties.get("sidefade.kind"));
    assertEquals("1.2", properties.get("sidefade.version"));
    assertEquals("[\"a\",\"größer\",\"\\\"quoted\\\"\",\"\"]", properties.get("sidefade.labels"));
    assertEquals(
        CARD.preprocessing().orElseThrow().toJson(), properties.get("sidefade.preprocessing"));
    assertEquals("ab".repeat(32), properties.get("sidefade.base_sha256"));
    assertEquals("{\"accuracy\":{\"val\":0.5}}", properties.get("sidefade.metrics"));
    assertEquals(6, properties.size());
  }

  @Test
  void theTaskIsWrittenAndRead() {
    ModelCard plain =
        new ModelCard(ModelCard.Kind.FADED, "2", List.of("x"), Optional.empty(), "00", "{}");
    OnnxModel model = OnnxModel.create(8, 17);
    for (ModelCard.Task task : ModelCard.Task.values()) {
      for (boolean pairs : new boolean[] {true, false}) {
        ModelCard unlabelled =
            new ModelCard(ModelCard.Kind.KEPT, "2", List.of(), Optional.empty(), "00", "{\"a\":1}");
        ModelCard base = task == ModelCard.Task.REGRESSION ? unlabelled : plain;
        ModelCard text = base.withTask(task, Optional.of(new ModelCard.TextInput(128, pairs)));
        text.writeTo(model);
        assertEquals(Optional.of(text), ModelCard.read(model));
        assertEquals(task.text(), model.metadata().get("sidefade.task"));
        assertEquals("128", model.metadata().get("sidefade.max_length"));
        assertEquals(Boolean.toString(pairs), model.metadata().get("sidefade.pairs"));
        assertEquals(text.task(), text.withKind(ModelCard.Kind.KEPT).task());
        assertEquals(text.text(), text.withKind(ModelCard.Kind.KEPT).text());
      }
    }
    ModelCard images = CARD.withTask(ModelCard.Task.IMAGE_CLASSIFICATION, Optional.empty());
    images.writeTo(model);
    assertEquals(Optional.of(images), ModelCard.read(model));
    assertFalse(model.metadata().containsKey("sidefade.max_length"));
    plain.writeTo(model);
    assertFalse(model.metadata().containsKey("sidefade.task"));
    assertThrows(
        BadInputException.class, () -> plain.withTask(ModelCard.Task.REGRESSION, Optional.empty()));
    assertThrows(BadInputException.class, () -> new ModelCard.TextInput(0, false));
  }

  @Test
  void otherModelsHaveNone() {
    assertTrue(ModelCard.read(OnnxModel.create(8, 17)).isEmpty());
  }

  @Test
  void nonsenseIsRefused() {
    Map<String, List<String>> nonsense =
        Map.of(
            "sidefade.kind", List.of("", "FADED", "other"),
            "sidefade.labels", List.of("", "{}", "[1]", "[null]", "[\"a\"", "[[\"a\"]]"),
            "sidefade.preprocessing", List.of("", "[]", "{}", "{\"channels\":0}"),
            "sidefade.metrics", List.of("", "[]", "1", "{", "null"),
            "sidefade.task", List.of("", "REGRESSION", "text", "text_classification"),
            "sidefade.max_length", List.of("", "0", "-1", "1.5", "99999999999"),
            "sidefade.pairs", List.of("", "yes", "TRUE"));
    nonsense.forEach((key, texts) -> {
      for (String text : texts) {
        OnnxModel model = OnnxModel.create(8, 17);
        CARD.withTask(
                ModelCard.Task.TEXT_CLASSIFICATION, Optional.of(new ModelCard.TextInput(9, false)))
            .writeTo(model);
        model.metadata().put(key, text);
        String message =
            assertThrows(BadInputException.class, () -> ModelCard.read(model), key + text)
                .getMessage();
        assertTrue(message.contains(key), message);
      }
    });
  }
}
