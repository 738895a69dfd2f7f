package dev.sidefade.export;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.sidefade.backbone.Backbone;
import dev.sidefade.onnx.Attribute;
import dev.sidefade.onnx.ElementType;
import dev.sidefade.onnx.GraphEdit;
import dev.sidefade.onnx.Initializer;
import dev.sidefade.onnx.OnnxGraph;
import dev.sidefade.onnx.OnnxModel;
import dev.sidefade.onnx.OnnxNode;
import dev.sidefade.tensor.DType;
import dev.sidefade.tensor.Tensor;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Linear layers in 8-bit integers. */
class DynamicInt8Test {
  private static final int ROWS = 64;
  private static final int COLUMNS = 48;

  @TempDir Path folder;

  @Test
  void aMatrixIsRoundedToItsColumnsSteps() {
    Random random = new Random(3);
    for (int run = 0; run < 50; run++) {
      int rows = 1 + random.nextInt(40);
      int columns = 1 + random.nextInt(40);
      float factor = run % 3 == 0 ? 1 : 0.25f + random.nextFloat();
      float[] matrix = new float[rows * columns];
      for (int i = 0; i < matrix.length; i++) {
        int column = i % columns;
        matrix[i] =
            column == 0 ? 0 : (float) (random.nextGaussian() * Math.pow(10, column % 7 - 3));
      }
      Int8Matrix rounded = Int8Matrix.of(matrix, columns, factor).orElseThrow();
      for (int n = 0; n < columns; n++) {
        int largest = 0;
        for (int i = n; i < matrix.length; i += columns) {
          double back = (double) rounded.elements()[i] * rounded.scales()[n];
          double step = rounded.scales()[n];
          assertEquals((double) matrix[i] * factor, back, 0.5001 * step + 1e-30);
          largest = Math.max(largest, Math.abs(rounded.elements()[i]));
        }
        assertEquals(n == 0 ? 0 : 64, largest);
      }
    }
  }

  @Test
  void whatIsNotFiniteIsNotRounded() {
    float[] matrix = {1, 2, 3, 4};
    assertTrue(Int8Matrix.of(matrix, 2, 1).isPresent());
    assertTrue(Int8Matrix.of(matrix, 2, Float.POSITIVE_INFINITY).isEmpty());
    for (float bad : new float[] {Float.NaN, Float.NEGATIVE_INFINITY}) {
      matrix[2] = bad;
      assertTrue(Int8Matrix.of(matrix, 2, 1).isEmpty());
    }
    // sums of more products could overflow
    assertTrue(Int8Matrix.of(new float[131_587], 1, 1).isEmpty());
  }

  /** x [3, rows] through one layer of the given form. */
  private static OnnxModel layer(OnnxNode node, boolean turned, float[] weight, float[] bias) {
    OnnxModel model = OnnxModel.create(8, 13);
    OnnxGraph graph = model.graph();
    graph.addInput("x", ElementType.FLOAT, "batch", (long) ROWS);
    long[] dims = turned ? new long[] {COLUMNS, ROWS} : new long[] {ROWS, COLUMNS};
    graph.addInitializer(Initializer.floats("w", weight, dims));
    graph.addInitializer(Initializer.floats("b", bias, COLUMNS));
    graph.nodes().add(node);
    graph.addOutput("y", ElementType.FLOAT, "batch", (long) COLUMNS);
    return model;
  }

  private static OnnxNode node(String type, String... inputs) {
    return new OnnxNode("layer", type, List.of(inputs), List.of("y"));
  }

  private static float[] gaussian(int count, Random random) {
    float[] values = new float[count];
    for (int i = 0; i < count; i++) {
      values[i] = (float) random.nextGaussian();
    }
    return values;
  }

  private float[] run(OnnxModel model, float[] x) throws IOException {
    Path file = folder.resolve("layer.onnx");
    Export.write(model, file);
    try (Arena arena = Arena.ofConfined()) {
      Tensor input = Fixtures.zeros(arena, DType.F32, x.length / ROWS, ROWS);
      for (int i = 0; i < x.length; i++) {
        input.set(i, x[i]);
      }
      try (OrtModel.Inputs fed = OrtModel.inputs(Map.of("x", input));
          OrtModel opened = OrtModel.open(file, 1)) {
        return opened.output(fed, "y");
      }
    }
  }

  /** What integers of the two roundings give, in double. */
  private static double[] reference(float[] x, Int8Matrix weight, float[] bias, boolean withBias) {
    float low = 0;
    float high = 0;
    for (float value : x) {
      low = Math.min(low, value);
      high = Math.max(high, value);
    }
    float step = (high - low) / 255;
    int zero = (int) Math.clamp(Math.rint(-low / step), 0, 255);
    int rows = x.length / ROWS;
    double[] y = new double[rows * COLUMNS];
    for (int r = 0; r < rows; r++) {
      for (int n = 0; n < COLUMNS; n++) {
        long sum = 0;
        for (int k = 0; k < ROWS; k++) {
          int q = (int) Math.clamp(Math.rint(x[r * ROWS + k] / step) + zero, 0, 255);
          sum += (long) (q - zero) * weight.elements()[k * COLUMNS + n];
        }
        y[r * COLUMNS + n] = (double) sum * step * weight.scales()[n] + (withBias ? bias[n] : 0);
      }
    }
    return y;
  }

  /**
   * ONNX Runtime's integers are those of the definition, whatever the processor: activations at
   * both ends of their range would overflow 16 bits with weights of up to 127.
   */
  @ParameterizedTest
  @ValueSource(strings = {"MatMul", "Gemm", "Gemm transB", "Gemm alpha", "Gemm without bias"})
  void everyFormComputesWhatItsIntegersSay(String form) throws IOException {
    Random random = new Random(form.hashCode());
    for (int run = 0; run < 8; run++) {
      boolean turned = form.endsWith("transB");
      boolean withBias = form.startsWith("Gemm") && !form.endsWith("without bias");
      float alpha = form.endsWith("alpha") ? 0.375f : 1;
      OnnxNode node =
          withBias
              ? node("Gemm", "x", "w", "b")
              : node(form.startsWith("Gemm") ? "Gemm" : "MatMul", "x", "w");
      if (turned) {
        node.setAttribute(Attribute.of("transB", 1L));
      }
      if (alpha != 1) {
        node.setAttribute(Attribute.of("alpha", alpha));
      }
      float[] matrix = run < 2 ? extremes(random) : gaussian(ROWS * COLUMNS, random);
      float[] bias = gaussian(COLUMNS, random);
      float[] x = gaussian(3 * ROWS, random);
      if (run == 0) {
        for (int i = 0; i < x.length; i++) {
          x[i] = i % 7 == 0 ? -0.01f : 5;
        }
      }
      OnnxModel model = layer(node, turned, turned ? transposed(matrix) : matrix, bias);
      OnnxModel quantised = DynamicInt8.of(model);
      assertFalse(quantised.graph().initializers().containsKey("w"));
      double[] expected =
          reference(x, Int8Matrix.of(matrix, COLUMNS, alpha).orElseThrow(), bias, withBias);
      float[] found = run(quantised, x);
      for (int i = 0; i < found.length; i++) {
        assertEquals(expected[i], found[i], 1e-5 * Math.max(1, Math.abs(expected[i])));
      }
    }
  }

  private static float[] extremes(Random random) {
    float[] matrix = new float[ROWS * COLUMNS];
    for (int i = 0; i < matrix.length; i++) {
      matrix[i] = i % COLUMNS % 2 == 0 ? 3 : random.nextBoolean() ? 2 : -2;
    }
    return matrix;
  }

  private static float[] transposed(float[] matrix) {
    float[] other = new float[matrix.length];
    for (int i = 0; i < matrix.length; i++) {
      other[i % COLUMNS * ROWS + i / COLUMNS] = matrix[i];
    }
    return other;
  }

  @Test
  void otherFormsStayAsTheyAre() {
    Random random = new Random(5);
    float[] weight = gaussian(ROWS * COLUMNS, random);
    float[] bias = gaussian(COLUMNS, random);
    OnnxNode beta = node("Gemm", "x", "w", "b");
    beta.setAttribute(Attribute.of("beta", 2f));
    OnnxModel model = layer(beta, false, weight, bias);
    assertArrayEquals(model.toBytes(), DynamicInt8.of(model).toBytes());
    weight[7] = Float.NaN;
    OnnxModel broken = layer(node("MatMul", "x", "w"), false, weight, bias);
    assertArrayEquals(broken.toBytes(), DynamicInt8.of(broken).toBytes());
  }

  /** A matrix behind a Transpose, used twice, with an input that enters two layers. */
  @Test
  void whatIsSharedIsRoundedOnce() throws IOException {
    Random random = new Random(6);
    float[] matrix = gaussian(ROWS * COLUMNS, random);
    OnnxModel model = layer(node("Add", "p", "q"), true, transposed(matrix), new float[COLUMNS]);
    OnnxGraph graph = model.graph();
    OnnxNode sum = graph.nodes().removeFirst();
    graph.addNode("Transpose", List.of("w"), List.of("t"), Attribute.ints("perm", 1, 0));
    graph.addNode("MatMul", List.of("x", "t"), List.of("p"));
    graph.addNode("MatMul", List.of("x", "t"), List.of("q"));
    graph.nodes().add(sum);
    OnnxModel quantised = DynamicInt8.of(model);
    List<String> operators = quantised.graph().nodes().stream().map(OnnxNode::opType).toList();
    assertEquals(1, operators.stream().filter("DynamicQuantizeLinear"::equals).count());
    assertEquals(2, operators.stream().filter("MatMulInteger"::equals).count());
    assertFalse(operators.contains("Transpose"));
    assertEquals(
        1,
        quantised.graph().initializers().values().stream()
            .filter(constant -> constant.type() == ElementType.INT8)
            .count());
    float[] x = gaussian(2 * ROWS, random);
    double[] once =
        reference(x, Int8Matrix.of(matrix, COLUMNS, 1).orElseThrow(), new float[COLUMNS], false);
    float[] found = run(quantised, x);
    for (int i = 0; i < found.length; i++) {
      assertEquals(2 * once[i], found[i], 2e-5 * Math.max(1, Math.abs(once[i])));
    }
  }

  static Stream<String> names() {
    return Fixtures.imagesAndTexts();
  }

  /** Every product with a large constant matrix is an integer one, and nothing else changed. */
  @ParameterizedTest
  @MethodSource("names")
  void everyLinearLayerOfABackboneIsReplaced(String name) throws IOException {
    OnnxModel model = OnnxModel.read(Fixtures.model(name));
    byte[] before = model.toBytes();
    OnnxModel quantised = DynamicInt8.of(model);
    assertArrayEquals(before, model.toBytes(), "it was edited");
    assertArrayEquals(quantised.toBytes(), DynamicInt8.of(model).toBytes());
    assertEquals(model.graph().inputs().toString(), quantised.graph().inputs().toString(), name);
    assertEquals(model.graph().outputs().toString(), quantised.graph().outputs().toString(), name);
    assertEquals(model.opset(), quantised.opset());
    assertEquals(0, floatLayers(quantised), name);
    long layers = floatLayers(model);
    assertTrue(layers >= 4, name + ": " + layers);
    assertEquals(
        layers,
        quantised.graph().nodes().stream().filter(node -> node.is("MatMulInteger")).count());
    try (Backbone backbone = Backbone.load(Fixtures.model(name));
        Arena arena = Arena.ofConfined()) {
      Path file = folder.resolve("int8.onnx");
      Export.write(quantised, file);
      String output = model.graph().outputs().getFirst().name();
      try (OrtModel.Inputs fed = OrtModel.inputs(Fixtures.inputs(backbone, 3, 7, arena));
          OrtModel original = OrtModel.open(backbone.file(), 1);
          OrtModel integers = OrtModel.open(file, 1)) {
        Differences.assertClose(
            original.output(fed, output), integers.output(fed, output), 0.1, name);
      }
    }
  }

  private static long floatLayers(OnnxModel model) {
    OnnxGraph graph = model.graph();
    return graph.nodes().stream()
        .filter(node -> node.is("MatMul") || node.is("Gemm"))
        .filter(node ->
            GraphEdit.constantValue(graph, node.input(1)).filter(Weights::isWeight).isPresent())
        .count();
  }
}
