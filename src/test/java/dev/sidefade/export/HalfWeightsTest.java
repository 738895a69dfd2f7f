package dev.sidefade.export;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.sidefade.backbone.Backbone;
import dev.sidefade.onnx.ElementType;
import dev.sidefade.onnx.Initializer;
import dev.sidefade.onnx.OnnxGraph;
import dev.sidefade.onnx.OnnxModel;
import dev.sidefade.onnx.OnnxNode;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Weights of 16 bits. */
class HalfWeightsTest {
  @TempDir Path folder;

  private static OnnxModel model(float[] weight, long... dims) {
    OnnxModel model = OnnxModel.create(8, 13);
    OnnxGraph graph = model.graph();
    graph.addInput("x", ElementType.FLOAT, dims[0]);
    graph.addInitializer(Initializer.floats("w", weight, dims));
    graph.addNode("MatMul", List.of("x", "w"), List.of("y"));
    graph.addOutput("y", ElementType.FLOAT);
    return model;
  }

  private static float[] gaussian(int count, double scale) {
    Random random = new Random(count);
    float[] values = new float[count];
    for (int i = 0; i < count; i++) {
      values[i] = (float) (scale * random.nextGaussian());
    }
    return values;
  }

  @Test
  void weightsAreRoundedToTheNearest() {
    float[] weight = gaussian(64 * 32, 0.02);
    OnnxGraph graph = HalfWeights.of(model(weight, 64, 32)).graph();
    assertEquals(List.of("Cast", "MatMul"), graph.nodes().stream().map(OnnxNode::opType).toList());
    OnnxNode cast = graph.nodes().getFirst();
    assertEquals(List.of("w"), cast.outputs());
    Initializer stored = graph.initializers().get(cast.input(0));
    assertEquals(ElementType.FLOAT16, stored.type());
    assertArrayEquals(new long[] {64, 32}, stored.dims());
    float[] values = stored.floats();
    for (int i = 0; i < values.length; i++) {
      // half a unit in the last place, or of the smallest numbers
      assertEquals(weight[i], values[i], Math.abs(weight[i]) * 0x1p-11 + 0x1p-25);
    }
  }

  @Test
  void whatSixteenBitsCannotHoldStays() {
    for (float bad : new float[] {65520, Float.NaN, Float.NEGATIVE_INFINITY, 1e-5f}) {
      float[] weight = new float[64 * 32];
      weight[5] = bad;
      OnnxModel model = model(weight, 64, 32);
      assertArrayEquals(model.toBytes(), HalfWeights.of(model).toBytes(), String.valueOf(bad));
    }
    for (float good : new float[] {65504, -1e-4f, 0}) {
      float[] weight = new float[64 * 32];
      weight[5] = good;
      assertEquals(2, HalfWeights.of(model(weight, 64, 32)).graph().nodes().size());
    }
  }

  @Test
  void smallConstantsAndVectorsStay() {
    for (long[] dims : new long[][] {{2048}, {2048, 1}, {1, 1, 4096}, {31, 33}}) {
      float[] weight = gaussian((int) Arrays.stream(dims).reduce(1, (a, b) -> a * b), 1);
      OnnxModel model = model(weight, dims);
      assertArrayEquals(model.toBytes(), HalfWeights.of(model).toBytes(), Arrays.toString(dims));
    }
  }

  /** Old exporters declare every constant as an input that may be replaced. */
  @Test
  void constantsThatAreInputsBecomeConstants() throws IOException {
    OnnxModel model = model(gaussian(64 * 32, 1), 64, 32);
    model.graph().addInput("w", ElementType.FLOAT, 64L, 32L);
    for (OnnxModel made : List.of(HalfWeights.of(model), DynamicInt8.of(model))) {
      assertEquals(1, made.graph().inputs().size());
      Path file = folder.resolve("m.onnx");
      Export.write(made, file);
      OrtModel.open(file, 1).close();
    }
    assertEquals(2, model.graph().inputs().size());
  }

  static Stream<String> names() {
    return Stream.concat(Fixtures.imagesAndTexts(), Stream.of("vit12_legacy17"));
  }

  /** Within what {@link ExportVariant#tolerance} promises, and by far. */
  @ParameterizedTest
  @MethodSource("names")
  void everyBackboneAnswersNearlyTheSame(String name) throws IOException {
    OnnxModel model = OnnxModel.read(Fixtures.model(name));
    byte[] before = model.toBytes();
    OnnxModel half = HalfWeights.of(model);
    assertArrayEquals(before, model.toBytes(), "it was edited");
    assertArrayEquals(half.toBytes(), HalfWeights.of(model).toBytes());
    assertTrue(half.toBytes().length < 0.85 * before.length, name);
    assertEquals(model.graph().inputs().toString(), half.graph().inputs().toString(), name);
    assertEquals(model.graph().outputs().toString(), half.graph().outputs().toString(), name);
    try (Backbone backbone = Backbone.load(Fixtures.model(name));
        Arena arena = Arena.ofConfined()) {
      Path file = folder.resolve("fp16.onnx");
      Export.write(half, file);
      String output = model.graph().outputs().getFirst().name();
      try (OrtModel.Inputs fed = OrtModel.inputs(Fixtures.inputs(backbone, 3, 7, arena));
          OrtModel original = OrtModel.open(backbone.file(), 1);
          OrtModel halves = OrtModel.open(file, 1)) {
        Differences.assertClose(
            original.output(fed, output), halves.output(fed, output), 3e-3, name);
      }
    }
  }
}
