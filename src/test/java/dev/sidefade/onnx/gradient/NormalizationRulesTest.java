package dev.sidefade.onnx.gradient;

import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.sidefade.onnx.Attribute;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Layer normalisation, softmax and reductions against differences. */
class NormalizationRulesTest {
  @ParameterizedTest
  @CsvSource({"17, -1", "20, 2", "23, 1", "17, 0", "18, -2"})
  void layerNormalization(long opset, long axis) throws Exception {
    long[] dims = {2, 3, 7};
    long[] normalized = Arrays.copyOfRange(dims, (int) (axis < 0 ? axis + 3 : axis), 3);
    new GradientCase(opset)
        .by("x", dims)
        .by("scale", normalized)
        .by("bias", normalized)
        .node(
            "LayerNormalization",
            List.of("x", "scale", "bias"),
            "y",
            Attribute.of("axis", axis),
            Attribute.of("epsilon", 1e-3f))
        .of("y")
        .inSinglePrecision()
        .check();
  }

  @Test
  void layerNormalizationWithoutBiasOrWithStatistics() throws Exception {
    new GradientCase(17)
        .by("x", 2, 3, 6)
        .by("scale", 6)
        .node("LayerNormalization", List.of("x", "scale"), "y")
        .of("y")
        .inSinglePrecision()
        .check();
    new GradientCase(17)
        .by("x", 4, 6)
        .by("scale", 6)
        .node("LayerNormalization", List.of("x", "scale"), List.of("y", "", "deviation"))
        .of("y")
        .inSinglePrecision()
        .check();
  }

  /** Runtimes fuse the two, which must not lose the statistics of the norm. */
  @Test
  void layerNormalizationOfASum() throws Exception {
    new GradientCase(17)
        .by("a", 2, 3, 8)
        .by("b", 2, 3, 8)
        .by("scale", 8)
        .by("bias", 8)
        .node("Add", List.of("a", "b"), "x")
        .node("LayerNormalization", List.of("x", "scale", "bias"), "y")
        .of("y")
        .inSinglePrecision()
        .check();
  }

  @Test
  void biasAloneNeedsNothingOfTheNorm() throws Exception {
    GradientCase made =
        new GradientCase(17)
            .fed("x", 2, 3, 6)
            .constant("scale", 6)
            .by("bias", 6)
            .node("LayerNormalization", List.of("x", "scale", "bias"), "y")
            .of("y")
            .inSinglePrecision();
    made.check();
    assertTrue(made.gradients(true).saved().isEmpty());
  }

  @ParameterizedTest
  @CsvSource({
    "Softmax, 11, 2",
    "Softmax, 11, 1",
    "Softmax, 12, 0",
    "Softmax, 13, -1",
    "Softmax, 13, 1",
    "Softmax, 20, 0",
    "LogSoftmax, 11, 2",
    "LogSoftmax, 11, 1",
    "LogSoftmax, 13, -1",
    "LogSoftmax, 17, 0"
  })
  void softmaxAlongAnAxis(String type, long opset, long axis) throws Exception {
    new GradientCase(opset)
        .between("x", -2, 2, 2, 3, 5)
        .node(type, List.of("x"), "y", Attribute.of("axis", axis))
        .of("y")
        .check();
  }

  @ParameterizedTest
  @ValueSource(longs = {11, 13})
  void softmaxWithoutAnAxis(long opset) throws Exception {
    new GradientCase(opset).by("x", 2, 3, 4).node("Softmax", List.of("x"), "y").of("y").check();
  }

  @ParameterizedTest
  @CsvSource({
    "ReduceMean, 11",
    "ReduceMean, 13",
    "ReduceMean, 18",
    "ReduceMean, 20",
    "ReduceSum, 11",
    "ReduceSum, 13",
    "ReduceSum, 20",
    "ReduceL2, 11",
    "ReduceL2, 18"
  })
  void reductions(String type, long opset) throws Exception {
    boolean asInput = opset >= 18 || type.equals("ReduceSum") && opset >= 13;
    for (long[] axes : new long[][] {{-1}, {0, 2}, {1}, {0, 1, 2}}) {
      for (long keep = 0; keep < 2; keep++) {
        GradientCase made = new GradientCase(opset).between("x", 0.2, 1, 2, 3, 4);
        Attribute keepDims = Attribute.of("keepdims", keep);
        if (asInput) {
          made.longs("axes", axes).node(type, List.of("x", "axes"), "y", keepDims);
        } else {
          made.node(type, List.of("x"), "y", Attribute.ints("axes", axes), keepDims);
        }
        made.of("y").check();
      }
    }
  }

  @Test
  void reductionsWithoutAxes() throws Exception {
    new GradientCase(18).by("x", 2, 3).node("ReduceMean", List.of("x"), "y").of("y").check();
    new GradientCase(11).by("x", 2, 3).node("ReduceSum", List.of("x"), "y").of("y").check();
    new GradientCase(13)
        .by("x", 2, 3)
        .node("ReduceSum", List.of("x"), "y", Attribute.of("noop_with_empty_axes", 1))
        .of("y")
        .check();
  }

  /** The norm as exporters write it where the operator does not exist. */
  @ParameterizedTest
  @ValueSource(longs = {11, 13, 18})
  void decomposedLayerNormalization(long opset) throws Exception {
    GradientCase made =
        new GradientCase(opset).by("x", 2, 3, 6).by("scale", 6).by("bias", 6).number("two", 2);
    made.number("epsilon", 1e-3);
    mean(made, opset, "x", "mean");
    made.node("Sub", List.of("x", "mean"), "centred").node("Pow", List.of("centred", "two"), "sq");
    mean(made, opset, "sq", "variance");
    made.node("Add", List.of("variance", "epsilon"), "positive")
        .node("Sqrt", List.of("positive"), "deviation")
        .node("Div", List.of("centred", "deviation"), "normalized")
        .node("Mul", List.of("normalized", "scale"), "scaled")
        .node("Add", List.of("scaled", "bias"), "y")
        .of("y")
        .check();
  }

  private static void mean(GradientCase made, long opset, String x, String y) {
    if (opset >= 18) {
      made.longs(y + "-axes", -1).node("ReduceMean", List.of(x, y + "-axes"), y);
    } else {
      made.node("ReduceMean", List.of(x), y, Attribute.ints("axes", -1));
    }
  }
}
