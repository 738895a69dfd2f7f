package dev.sidefade;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.sidefade.onnx.Initializer;
import dev.sidefade.onnx.OnnxGraph;
import dev.sidefade.onnx.OnnxModel;
import dev.sidefade.onnx.ValueInfo;
import dev.sidefade.report.RunReport;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.LongStream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Backbones whose weights are declared as inputs too, as {@code keep_initializers_as_inputs} of
 * torch.onnx.export writes them: they must be adapted like any other, and nobody has to feed what
 * was cut off.
 */
class DeclaredConstantsTest {
  @TempDir Path folder;

  private TextFiles files;

  @BeforeEach
  void makeFiles() throws IOException {
    files = new TextFiles(Files.createDirectories(folder.resolve("data")));
  }

  private static void declareAll(Path file) throws IOException {
    OnnxModel model = OnnxModel.read(file);
    OnnxGraph graph = model.graph();
    for (Initializer constant : graph.initializers().values()) {
      Object[] dims = LongStream.of(constant.dims()).boxed().toArray();
      graph.addInput(constant.name(), constant.type(), dims);
    }
    model.write(file);
  }

  private AdaptConfig.Builder config(String name, boolean declared) throws IOException {
    AdaptConfig.Builder config =
        files.config(TaskKind.TEXT, name, files.sentiments(60, 30), folder.resolve("plain"));
    if (declared) {
      Path backbone = folder.resolve("declared.onnx");
      Files.copy(files.backbone(name), backbone);
      declareAll(backbone);
      config.backbone(backbone).out(folder.resolve("out"));
    }
    return config.sideWidth(8).epochs(1).measureUnlabelled(false);
  }

  private static List<String> fed(Path model) throws IOException {
    OnnxGraph graph = OnnxModel.read(model).graph();
    return graph.inputs().stream()
        .map(ValueInfo::name)
        .filter(name -> !graph.initializers().containsKey(name))
        .toList();
  }

  private static List<Map<String, Double>> losses(AdaptResult result) {
    return result.report().history().stream().map(RunReport.EpochRow::losses).toList();
  }

  /** BERT's pooler and classifier are cut off, so their weights have no reader left. */
  @ParameterizedTest
  @EnumSource
  void trainAndShipAsUsual(GradientMode mode) throws IOException {
    AdaptResult plain = QuickRuns.quick(config("bert_legacy14", false).gradientMode(mode));
    AdaptResult result = QuickRuns.quick(config("bert_legacy14", true).gradientMode(mode));
    assertEquals(losses(plain), losses(result));
    List<String> inputs = fed(plain.model().orElseThrow());
    assertEquals(inputs, fed(result.model().orElseThrow()));
    assertEquals(inputs, fed(result.kept().orElseThrow()));
    assertSameScore(result);
  }

  @Test
  void inMicroBatches() throws IOException {
    AdaptResult plain = QuickRuns.quick(config("bert_legacy14", false).microBatch(4));
    AdaptResult result = QuickRuns.quick(config("bert_legacy14", true).microBatch(4));
    assertEquals(losses(plain), losses(result));
    assertSameScore(result);
  }

  private void assertSameScore(AdaptResult result) throws IOException {
    double reported = result.report().accuracy(RunReport.TEST, RunReport.FADED).orElseThrow();
    try (TextPredictor predictor =
        TextPredictor.open(result.model().orElseThrow(), files.tokenizer(), 1)) {
      String test = folder.resolve("data").resolve("sentiment-test.tsv").toString();
      assertTrue(Math.abs(reported - predictor.evaluate(test, true).get("accuracy")) < 1e-9);
    }
  }
}
