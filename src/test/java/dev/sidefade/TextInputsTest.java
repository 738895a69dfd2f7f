package dev.sidefade;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.sidefade.export.Delta;
import dev.sidefade.onnx.ElementType;
import dev.sidefade.onnx.OnnxModel;
import dev.sidefade.report.RunReport;
import dev.sidefade.text.TextModels;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The whole way with a backbone whose inputs have 32 bits, places of tokens among them. */
class TextInputsTest {
  @TempDir Path folder;

  @Test
  void modelsThatShipAreFedAsTheBackboneIs() throws IOException {
    TextFiles files = new TextFiles(folder);
    Path backbone = folder.resolve("narrow.onnx");
    OnnxModel model = OnnxModel.read(files.backbone("minilm_legacy11"));
    TextModels.positioned(model);
    TextModels.narrow(model);
    model.write(backbone, false);
    TextFiles.Sets sets = files.sentiments(80, 40);
    AdaptConfig config =
        files.config(TaskKind.TEXT, "narrow", sets, folder.resolve("out")).epochs(2).build();
    AdaptResult result = Sidefade.adapt(config, ProgressListener.SILENT, Duration.ofMillis(50));
    Path faded = result.model().orElseThrow();
    for (Path shipped : List.of(faded, result.kept().orElseThrow())) {
      Set<String> names = new HashSet<>();
      OnnxModel.read(shipped)
          .graph()
          .inputs()
          .forEach(input -> {
            assertEquals(ElementType.INT32, input.type(), input.name());
            names.add(input.name());
          });
      assertEquals(Set.of("input_ids", "attention_mask", "token_type_ids", "position_ids"), names);
    }
    try (TextPredictor predictor = TextPredictor.open(faded, files.tokenizer(), 1)) {
      assertEquals(
          result.report().accuracy(RunReport.TEST, RunReport.FADED).orElseThrow(),
          predictor.evaluate(sets.test().toString(), true).get("accuracy"));
      assertEquals(2, predictor.predict(List.of("a good film", "bad"), List.of(), 2).size());
    }
    Path made = folder.resolve("made.onnx");
    Delta.apply(backbone, result.delta().orElseThrow(), made);
    assertArrayEquals(Files.readAllBytes(faded), Files.readAllBytes(made));
    assertTrue(Files.readString(result.metrics()).contains("batch32"), "latency was measured");
  }
}
