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
                  Preprocessing.Resize.BILINEAR,
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
            "sidefade.metrics", List.of("", "[]", "1", "{", "null"));
    nonsense.forEach((key, texts) -> {
      for (String text : texts) {
        OnnxModel model = OnnxModel.create(8, 17);
        CARD.writeTo(model);
        model.metadata().put(key, text);
        String message =
            assertThrows(BadInputException.class, () -> ModelCard.read(model), key + text)
                .getMessage();
        assertTrue(message.contains(key), message);
      }
    });
  }
}
