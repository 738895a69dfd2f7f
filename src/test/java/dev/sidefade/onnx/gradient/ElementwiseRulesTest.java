package dev.sidefade.onnx.gradient;

import static org.junit.jupiter.api.DynamicTest.dynamicTest;

import dev.sidefade.onnx.Attribute;
import dev.sidefade.onnx.ElementType;
import dev.sidefade.onnx.gradient.Tensors.Tensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Arithmetic and activations against differences. */
class ElementwiseRulesTest {
  private static final long[][][] BROADCASTS = {
    {{3, 5}, {3, 5}},
    {{2, 3, 5}, {5}},
    {{5}, {2, 3, 5}},
    {{2, 1, 5}, {3, 1}},
    {{2, 3, 5}, {1, 1, 1}},
    {{2, 3, 5}, {}},
    {{}, {7}},
    {{3, 1}, {2, 1, 5}},
    {{1, 3, 1, 2}, {4, 1, 5, 1}},
  };

  @TestFactory
  Stream<DynamicTest> broadcastBothWays() {
    List<DynamicTest> tests = new ArrayList<>();
    for (String type : List.of("Add", "Sub", "Mul", "Div", "Max", "Min", "Sum")) {
      for (int i = 0; i < BROADCASTS.length; i++) {
        long[][] dims = BROADCASTS[i];
        long opset = i % 2 == 0 ? 11 : 17;
        tests.add(
            dynamicTest(
                "%s %d %s %s"
                    .formatted(type, opset, Arrays.toString(dims[0]), Arrays.toString(dims[1])),
                () ->
                    new GradientCase(opset)
                        .by("a", dims[0])
                        .between("b", 0.5, 1.5, dims[1])
                        .node(type, List.of("a", "b"), "y")
                        .of("y")
                        .check()));
      }
    }
    return tests.stream();
  }

  @ParameterizedTest
  @CsvSource({
    "Neg, -1, 1",
    "Abs, -1, 1",
    "Sqrt, 0.3, 2",
    "Reciprocal, 0.5, 2",
    "Exp, -1, 1",
    "Log, 0.3, 2",
    "Tanh, -2, 2",
    "Sigmoid, -3, 3",
    "Relu, -1, 1",
    "Identity, -1, 1",
  })
  void functionsOfOneValue(String type, double low, double high) throws Exception {
    for (long opset : new long[] {11, 20}) {
      new GradientCase(opset)
          .between("x", low, high, 3, 7)
          .node(type, List.of("x"), "y")
          .of("y")
          .check();
    }
  }

  @ParameterizedTest
  @ValueSource(longs = {11, 13, 20})
  void erf(long opset) throws Exception {
    new GradientCase(opset)
        .between("x", -2, 2, 3, 7)
        .node("Erf", List.of("x"), "y")
        .of("y")
        .inSinglePrecision()
        .check();
  }

  @ParameterizedTest
  @ValueSource(strings = {"none", "tanh"})
  void gelu(String approximate) throws Exception {
    for (long opset : new long[] {20, 23}) {
      new GradientCase(opset)
          .between("x", -3, 3, 5, 7)
          .node("Gelu", List.of("x"), "y", Attribute.of("approximate", approximate))
          .of("y")
          .inSinglePrecision()
          .check();
    }
  }

  @ParameterizedTest
  @CsvSource({"2, -1, 1", "3, -1, 1", "1, -1, 1", "0.5, 0.3, 2", "-1.5, 0.5, 2", "4, -1, 1"})
  void powersOfConstantExponents(double exponent, double low, double high) throws Exception {
    for (long opset : new long[] {11, 15}) {
      new GradientCase(opset)
          .between("x", low, high, 3, 4)
          .number("exponent", exponent)
          .node("Pow", List.of("x", "exponent"), "y")
          .of("y")
          .check();
    }
  }

  @Test
  void powerOfAnIntegerExponent() throws Exception {
    new GradientCase(13)
        .by("x", 3, 4)
        .indices("two", new long[] {2})
        .node("Pow", List.of("x", "two"), "y")
        .of("y")
        .check();
  }

  @ParameterizedTest
  @ValueSource(longs = {11, 16})
  void whereBroadcastsAllThree(long opset) throws Exception {
    Tensor mask = new Tensor(ElementType.BOOL, new double[] {1, 0, 0, 1, 1}, 1, 5);
    for (long[][] dims : new long[][][] {{{3, 5}, {3, 5}}, {{3, 1}, {}}, {{5}, {2, 3, 1}}}) {
      new GradientCase(opset)
          .fed("mask", mask)
          .by("a", dims[0])
          .by("b", dims[1])
          .node("Where", List.of("mask", "a", "b"), "y")
          .of("y")
          .check();
    }
  }

  @Test
  void clipPassesWhatItKeeps() throws Exception {
    new GradientCase(13)
        .between("x", -2, 2, 4, 5)
        .number("low", -0.5)
        .number("high", 0.75)
        .node("Clip", List.of("x", "low", "high"), "y")
        .of("y")
        .check();
    new GradientCase(12)
        .between("x", -2, 2, 4, 5)
        .number("high", 0.75)
        .node("Clip", List.of("x", "", "high"), "y")
        .of("y")
        .check();
  }

  @Test
  void dropoutOutsideTrainingPassesAll() throws Exception {
    new GradientCase(11)
        .by("x", 3, 5)
        .node("Dropout", List.of("x"), "y", Attribute.of("ratio", 0.3f))
        .of("y")
        .check();
    new GradientCase(13)
        .by("x", 3, 5)
        .number("ratio", 0.3)
        .node("Dropout", List.of("x", "ratio"), List.of("y", "mask"))
        .of("y")
        .check();
  }

  @Test
  void castsToAndFro() throws Exception {
    new GradientCase(13)
        .by("x", 3, 5)
        .node("Cast", List.of("x"), "wide", Attribute.of("to", ElementType.DOUBLE.code()))
        .node("Mul", List.of("wide", "wide"), "square")
        .node("Cast", List.of("square"), "y", Attribute.of("to", ElementType.FLOAT.code()))
        .of("y")
        .inSinglePrecision()
        .check();
  }

  @Test
  void oneValueOnBothSides() throws Exception {
    new GradientCase(13)
        .between("x", 0.5, 2, 3, 5)
        .node("Mul", List.of("x", "x"), "square")
        .node("Add", List.of("square", "square"), "twice")
        .node("Div", List.of("twice", "x"), "back")
        .node("Sub", List.of("back", "square"), "y")
        .of("y")
        .check();
  }
}
