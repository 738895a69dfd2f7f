package dev.sidefade.export;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.sidefade.backbone.Backbone;
import dev.sidefade.backbone.Trunk;
import dev.sidefade.backbone.TrunkOutput;
import dev.sidefade.kernels.Pooling;
import dev.sidefade.onnx.ElementType;
import dev.sidefade.onnx.GraphEdit;
import dev.sidefade.onnx.Initializer;
import dev.sidefade.onnx.OnnxGraph;
import dev.sidefade.onnx.OnnxModel;
import dev.sidefade.onnx.OnnxNode;
import dev.sidefade.onnx.ValueInfo;
import dev.sidefade.tensor.DType;
import dev.sidefade.tensor.Tensor;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Texts: padding does not show, whatever follows the tokens is cut away, and all inputs are fed.
 */
class TextTest {
  private static final int EXAMPLES = 5;

  @TempDir Path folder;

  private static Stream<String> names() {
    return Fixtures.TEXTS.stream();
  }

  /** logits = pool(norm(tokens)) W + b in plain Java, in double. */
  @ParameterizedTest
  @MethodSource("names")
  void readOutsAreThoseOfPlainJava(String name) throws IOException {
    for (Pooling pooling : Pooling.values()) {
      check(name, pooling, 3);
    }
    // a regression
    check(name, Pooling.MEAN, 1);
  }

  private void check(String name, Pooling pooling, int classes) throws IOException {
    try (Backbone backbone = Backbone.load(Fixtures.model(name));
        Arena arena = Arena.ofConfined()) {
      int width = backbone.structure().lastTap().width();
      Random random = new Random(2);
      int rows = width * pooling.parts();
      float[] weight = TunedInside.jittered(new float[rows * classes], random);
      float[] bias = TunedInside.jittered(new float[classes], random);
      OnnxModel faded =
          FadedModel.build(
              backbone, TunedModel.of(TunedTail.head(pooling, weight, bias)), Cards.of(backbone));
      Path target = folder.resolve("model.onnx");
      Export.write(faded, target);
      assertEquals(1, faded.graph().outputs().size());
      ValueInfo output = faded.graph().outputs().getFirst();
      assertEquals("Static[size=" + classes + "]", output.dims().getLast().toString());
      for (OnnxNode node : faded.graph().nodes()) {
        assertFalse(node.is("Tanh") || node.is("Relu"), "the pooler " + node + " is still there");
      }
      Map<String, Tensor> inputs = Fixtures.inputs(backbone, EXAMPLES, 6, arena);
      float[][][] tokens = tokens(backbone, inputs, arena);
      try (OrtModel model = OrtModel.open(target, 1);
          OrtModel.Inputs fed = OrtModel.inputs(inputs)) {
        float[] logits = model.output(fed, output.name());
        int at = 0;
        for (int example = 0; example < EXAMPLES; example++) {
          boolean[] valid = valid(inputs.get("attention_mask"), example);
          for (int t = 0; t < (pooling == Pooling.TOKENS ? valid.length : 1); t++) {
            double[] expected =
                classified(pooled(tokens[example], valid, pooling, t), weight, bias);
            for (double value : expected) {
              if (pooling != Pooling.TOKENS || valid[t]) {
                assertEquals(value, logits[at], 1e-5 * Math.max(1, Math.abs(value)), name);
              }
              at++;
            }
          }
        }
        assertEquals(at, logits.length);
      }
    }
  }

  /** What the final norm returns, [batch][tokens][width]: the last tap of a post-norm stream. */
  private static float[][][] tokens(Backbone backbone, Map<String, Tensor> inputs, Arena arena) {
    int last = backbone.structure().blocks();
    Trunk trunk = backbone.openTrunk(1, List.of(last));
    List<Tensor> results = new ArrayList<>();
    for (TrunkOutput output : trunk.outputs()) {
      long[] shape = output.shape(EXAMPLES, Fixtures.TEXT_TOKENS);
      results.add(Fixtures.zeros(arena, DType.F32, shape));
    }
    trunk.run(inputs, EXAMPLES, results);
    int width = backbone.width(last);
    float[] flat = results.getFirst().toFloats();
    float[][][] tokens = new float[EXAMPLES][Fixtures.TEXT_TOKENS][width];
    for (int i = 0; i < flat.length; i++) {
      int row = i / width;
      tokens[row / Fixtures.TEXT_TOKENS][row % Fixtures.TEXT_TOKENS][i % width] = flat[i];
    }
    return tokens;
  }

  private static boolean[] valid(Tensor mask, int example) {
    boolean[] valid = new boolean[Fixtures.TEXT_TOKENS];
    for (int t = 0; t < valid.length; t++) {
      long at = (long) example * valid.length + t;
      valid[t] = mask.segment().getAtIndex(ValueLayout.JAVA_LONG, at) == 1;
    }
    return valid;
  }

  private static double[] pooled(float[][] tokens, boolean[] valid, Pooling pooling, int token) {
    int width = tokens[0].length;
    double[] mean = new double[width];
    int count = 0;
    for (int t = 0; t < tokens.length; t++) {
      count += valid[t] ? 1 : 0;
      for (int i = 0; i < width && valid[t]; i++) {
        mean[i] += tokens[t][i];
      }
    }
    double[] row = new double[width * pooling.parts()];
    for (int i = 0; i < width; i++) {
      row[i] = pooling == Pooling.MEAN ? mean[i] / count : tokens[token][i];
      if (pooling == Pooling.CLS_MEAN) {
        row[width + i] = mean[i] / count;
      }
    }
    return row;
  }

  private static double[] classified(double[] row, float[] weight, float[] bias) {
    double[] logits = new double[bias.length];
    for (int c = 0; c < bias.length; c++) {
      logits[c] = bias[c];
      for (int i = 0; i < row.length; i++) {
        logits[c] += row[i] * weight[i * bias.length + c];
      }
    }
    return logits;
  }

  @Test
  void whatIsComputedForPaddingIsNotCompared() throws IOException {
    try (Backbone backbone = Backbone.load(Fixtures.model("bert_legacy17"));
        TrainedTail trained = new TrainedTail(backbone, Pooling.TOKENS, 3, true, 5);
        Arena arena = Arena.ofConfined()) {
      Map<String, Tensor> inputs = Fixtures.inputs(backbone, EXAMPLES, 11, arena);
      Tensor logits = trained.logits(inputs, EXAMPLES, arena);
      OnnxModel faded = FadedModel.build(backbone, trained.tuned(), Cards.of(backbone));
      Path target = folder.resolve("model.onnx");
      int padding = 0;
      for (int example = 0; example < EXAMPLES; example++) {
        boolean[] valid = valid(inputs.get("attention_mask"), example);
        for (int t = 0; t < valid.length; t++) {
          long at = ((long) example * valid.length + t) * 3;
          float right = logits.get(at);
          logits.set(at, Float.NaN);
          Verification verification = new Verification(inputs, logits);
          if (valid[t]) {
            String message =
                assertThrows(
                        IllegalStateException.class,
                        () -> Export.writeVerified(faded, target, verification))
                    .getMessage();
            assertTrue(message.contains("example " + example), message);
            logits.set(at, right);
          } else {
            Export.writeVerified(faded, target, verification);
            padding++;
          }
        }
      }
      assertTrue(padding > 0);
    }
  }

  @Test
  void aHeadOverTokensIsReplaced() throws IOException {
    Path base = folder.resolve("base.onnx");
    try (Backbone backbone = Backbone.load(Fixtures.model("bert_model_legacy14"))) {
      OnnxModel model = backbone.model().copy();
      OnnxGraph graph = model.graph();
      String last = backbone.structure().lastTap().value();
      int width = backbone.structure().lastTap().width();
      graph.addInitializer(Initializer.floats("old.weight", new float[width * 5], width, 5));
      graph.addInitializer(Initializer.floats("old.bias", new float[5], 5));
      graph.addNode("MatMul", List.of(last, "old.weight"), List.of("old.product"));
      graph.addNode("Add", List.of("old.product", "old.bias"), List.of("logits"));
      graph.outputs().clear();
      graph.addOutput("logits", ElementType.FLOAT, "batch", "sequence", 5);
      GraphEdit.removeDeadNodes(graph);
      model.write(base);
    }
    try (Backbone backbone = Backbone.load(base);
        TrainedTail trained = new TrainedTail(backbone, Pooling.TOKENS, 4, true, 5);
        Arena arena = Arena.ofConfined()) {
      Map<String, Tensor> inputs = Fixtures.inputs(backbone, EXAMPLES, 11, arena);
      Tensor logits = trained.logits(inputs, EXAMPLES, arena);
      OnnxModel faded = FadedModel.build(backbone, trained.tuned(), Cards.of(backbone));
      Path target = folder.resolve("model.onnx");
      Export.writeVerified(faded, target, new Verification(inputs, logits));
      assertEquals(
          backbone.model().graph().nodes().stream().map(OnnxNode::opType).toList(),
          faded.graph().nodes().stream().map(OnnxNode::opType).toList());
      assertEquals("logits", faded.graph().outputs().getFirst().name());
      assertFalse(faded.graph().initializers().containsKey("old.weight"));
      assertEquals(3, faded.graph().outputs().getFirst().dims().size());
    }
  }

  @Test
  void allInputsAreTimed() throws IOException {
    try (Backbone backbone = Backbone.load(Fixtures.model("bert_legacy17"));
        Arena arena = Arena.ofConfined()) {
      Map<String, Path> models = new LinkedHashMap<>();
      models.put("one", backbone.file());
      Map<String, Tensor> inputs = Fixtures.inputs(backbone, 4, 1, arena);
      assertEquals(3, inputs.size());
      Latency time = LatencyMeter.measure(models, inputs, 1, Duration.ZERO).get("one");
      assertTrue(time.low() > 0);
    }
  }
}
