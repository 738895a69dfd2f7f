package dev.sidefade.export;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.sidefade.backbone.Backbone;
import dev.sidefade.kernels.Pooling;
import dev.sidefade.onnx.OnnxModel;
import dev.sidefade.tensor.DType;
import dev.sidefade.tensor.Tensor;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Models are in their place only when they compute what was trained. */
class ExportTest {
  @TempDir Path folder;

  /** A backbone, its faded model, examples and their logits. */
  private interface Scene {
    void play(Backbone backbone, OnnxModel faded, Map<String, Tensor> inputs, Tensor logits)
        throws IOException;
  }

  private static void scene(String name, int examples, Scene scene) throws IOException {
    try (Backbone backbone = Backbone.load(Fixtures.model(name));
        TrainedTail trained = new TrainedTail(backbone, Pooling.CLS_MEAN, 3, true, 8);
        Arena arena = Arena.ofConfined()) {
      Map<String, Tensor> inputs = Fixtures.inputs(backbone, examples, 6, arena);
      Tensor logits = trained.logits(inputs, examples, arena);
      OnnxModel faded = FadedModel.build(backbone, trained.tuned(), Cards.of(backbone));
      scene.play(backbone, faded, inputs, logits);
    }
  }

  @Test
  void anyNumberOfExamplesWillDo() throws IOException {
    for (int examples : new int[] {1, 2, 5, 7, 12}) {
      scene(
          "vit_timm_dynamo20",
          examples,
          (backbone, faded, inputs, logits) -> {
            Path target = folder.resolve("model.onnx");
            Export.writeVerified(faded, target, new Verification(inputs, logits));
            assertArrayEquals(faded.toBytes(), Files.readAllBytes(target));
          });
    }
  }

  @Test
  void aDifferenceLeavesEverythingAsItWas() throws IOException {
    for (String name : List.of("vit_timm_dynamo20", "vit_timm_external_dynamo20")) {
      scene(
          name,
          7,
          (backbone, faded, inputs, logits) -> {
            Path target = folder.resolve("model.onnx");
            Files.writeString(target, "before");
            for (long wrong = 0; wrong < logits.size(); wrong += 5) {
              float right = logits.get(wrong);
              for (float other : new float[] {right + 0.01f, Float.NaN, Float.POSITIVE_INFINITY}) {
                logits.set(wrong, other);
                Verification verification = new Verification(inputs, logits);
                IllegalStateException refused =
                    assertThrows(
                        IllegalStateException.class,
                        () -> Export.writeVerified(faded, target, verification));
                assertTrue(
                    refused.getMessage().contains("example " + wrong / 3), refused.getMessage());
              }
              logits.set(wrong, right);
            }
            assertEquals("before", Files.readString(target));
            assertOnly("model.onnx");
            Export.writeVerified(faded, target, new Verification(inputs, logits));
          });
      Files.deleteIfExists(folder.resolve("model.onnx.data"));
    }
  }

  @Test
  void theDifferenceIsSaid() throws IOException {
    scene(
        "vit_hf_dynamo20",
        3,
        (backbone, faded, inputs, logits) -> {
          logits.set(4, logits.get(4) + 0.25f);
          String message =
              assertThrows(
                      IllegalStateException.class,
                      () ->
                          Export.writeVerified(
                              faded, folder.resolve("m.onnx"), new Verification(inputs, logits)))
                  .getMessage();
          assertTrue(message.contains("by 0.25") || message.contains("by 0.249"), message);
          assertOnly();
        });
  }

  @Test
  void aModelThatRuntimesRefuseIsNotWritten() throws IOException {
    scene(
        "vit_timm_legacy17",
        2,
        (backbone, faded, inputs, logits) -> {
          faded.graph().nodes().getLast().setOpType("NoSuchOperator");
          assertThrows(
              IllegalStateException.class,
              () ->
                  Export.writeVerified(
                      faded, folder.resolve("m.onnx"), new Verification(inputs, logits)));
          assertOnly();
        });
  }

  @Test
  void externalDataAreWrittenBesideTheModel() throws IOException {
    scene(
        "vit_timm_external_dynamo20",
        5,
        (backbone, faded, inputs, logits) -> {
          Path target = folder.resolve("faded.onnx");
          Export.writeVerified(faded, target, new Verification(inputs, logits));
          assertOnly("faded.onnx", "faded.onnx.data");
          // and nothing else is needed elsewhere
          Path moved = Files.createDirectory(folder.resolve("moved"));
          Files.move(target, moved.resolve("faded.onnx"));
          Files.move(folder.resolve("faded.onnx.data"), moved.resolve("faded.onnx.data"));
          try (OrtModel model = OrtModel.open(moved.resolve("faded.onnx"), 1);
              OrtModel.Inputs fed = OrtModel.inputs(inputs)) {
            String output = faded.graph().outputs().getFirst().name();
            assertEquals(15, model.output(fed, output).length);
          }
        });
  }

  @Test
  void examplesMustFitTheirLogits() {
    try (Arena arena = Arena.ofConfined()) {
      Tensor rows = Fixtures.zeros(arena, DType.F32, 3, 1, 4, 4);
      Tensor logits = Fixtures.zeros(arena, DType.F32, 2, 5);
      assertThrows(IllegalArgumentException.class, () -> Verification.of("image", rows, logits));
      assertThrows(IllegalArgumentException.class, () -> new Verification(Map.of(), logits));
      assertFalse(Verification.of("image", rows.slice(0, 2, 1, 4, 4), logits).inputs().isEmpty());
    }
  }

  private void assertOnly(String... names) throws IOException {
    try (Stream<Path> files = Files.list(folder)) {
      assertEquals(
          List.of(names), files.map(file -> file.getFileName().toString()).sorted().toList());
    }
  }
}
