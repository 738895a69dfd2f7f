package dev.sidefade.onnx.gradient;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.sidefade.onnx.Attribute;
import dev.sidefade.onnx.OnnxModel;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Products of matrices against differences. */
class ProductRulesTest {
  private static long[] dims(String text) {
    return text.isBlank()
        ? new long[0]
        : List.of(text.trim().split(" ")).stream().mapToLong(Long::parseLong).toArray();
  }

  @ParameterizedTest
  @CsvSource({
    "11, 3 4, 4 5",
    "20, 2 3 4, 4 5",
    "13, 2 3 5 4, 4 3",
    "11, 3 4, 2 4 5",
    "17, 3 4, 2 3 4 5",
    "11, 2 3 4, 2 4 5",
    "13, 2 3 4, 1 4 5",
    "13, 1 3 4, 2 4 5",
    "17, 2 1 3 4, 3 4 5",
    "18, 3 3 4, 2 1 4 2",
    "13, 4, 4 5",
    "13, 4, 2 4 5",
    "13, 3 4, 4",
    "11, 2 3 4, 4",
    "13, 4, 4",
    "20, 1 4, 4 1",
  })
  void matricesOfAllRanks(long opset, String left, String right) throws Exception {
    new GradientCase(opset)
        .by("a", dims(left))
        .by("b", dims(right))
        .node("MatMul", List.of("a", "b"), "y")
        .of("y")
        .check();
  }

  @Test
  void constantOnEitherSide() throws Exception {
    new GradientCase(17)
        .by("x", 2, 3, 4)
        .constant("w", 4, 5)
        .node("MatMul", List.of("x", "w"), "y")
        .of("y")
        .check();
    new GradientCase(17)
        .by("x", 2, 4, 3)
        .constant("w", 5, 4)
        .node("MatMul", List.of("w", "x"), "y")
        .of("y")
        .check();
  }

  /** The gradient of a weight is one product over all rows, not a sum of one for each sample. */
  @Test
  void weightGradientsAreNotSummedOverSamples() throws Exception {
    for (String side : List.of("left", "right")) {
      GradientCase made = new GradientCase(17).by("w", 4, 4).fed("x", 3, 4, 4);
      made.node("MatMul", side.equals("left") ? List.of("w", "x") : List.of("x", "w"), "y");
      made.of("y").check();
      OnnxModel backward = made.gradients(true).backward();
      assertTrue(backward.graph().nodes().stream().noneMatch(node -> node.is("ReduceSum")));
      assertEquals(1, backward.graph().nodes().stream().filter(node -> node.is("Gemm")).count());
    }
  }

  private static GradientCase factored(long... x) {
    return new GradientCase(17)
        .by("x", x)
        .by("p", 6, 2)
        .by("q", 2, 8)
        .constant("f", 6, 8)
        .node("MatMul", List.of("p", "q"), "change")
        .node("Add", List.of("change", "f"), "w")
        .of("y");
  }

  /** Neither the rows times the columns of the weight nor its gradient are computed. */
  private static void checkFactors(GradientCase made) throws Exception {
    made.check();
    made.withFixedSizes().check();
    OnnxModel backward = made.gradients(false).backward();
    assertEquals(4, backward.graph().nodes().stream().filter(node -> node.is("Gemm")).count());
  }

  @Test
  void factorsOfAWeightHaveGradientsOfTheirOwn() throws Exception {
    checkFactors(factored(5, 6).node("MatMul", List.of("x", "w"), "y"));
    checkFactors(factored(2, 3, 6).node("MatMul", List.of("x", "w"), "y"));
  }

  @ParameterizedTest
  @CsvSource({"0, 1", "0, -0.5", "1, 1", "1, 2.5"})
  void factorsOfAWeightInGemm(long transB, float alpha) throws Exception {
    GradientCase made =
        factored(5, transB == 0 ? 6 : 8)
            .constant("bias", transB == 0 ? 8 : 6)
            .node(
                "Gemm",
                List.of("x", "w", "bias"),
                "y",
                Attribute.of("transB", transB),
                Attribute.of("alpha", alpha));
    made.check();
    made.withFixedSizes().check();
    // four for the factors, one for x
    OnnxModel backward = made.gradients(false).backward();
    assertEquals(5, backward.graph().nodes().stream().filter(node -> node.is("Gemm")).count());
  }

  /** A weight of high rank, one with a changing sum and one that is used twice. */
  @Test
  void weightsThatAreNotCheapFactorsGoTheLongWay() throws Exception {
    new GradientCase(17)
        .by("x", 5, 4)
        .by("p", 4, 3)
        .by("q", 3, 4)
        .constant("f", 4, 4)
        .node("MatMul", List.of("p", "q"), "change")
        .node("Add", List.of("f", "change"), "w")
        .node("MatMul", List.of("x", "w"), "y")
        .of("y")
        .check();
    new GradientCase(17)
        .by("x", 5, 6)
        .by("p", 6, 2)
        .by("q", 2, 8)
        .by("f", 6, 8)
        .node("MatMul", List.of("p", "q"), "change")
        .node("Add", List.of("f", "change"), "w")
        .node("MatMul", List.of("x", "w"), "y")
        .of("y")
        .check();
    factored(5, 6)
        .node("MatMul", List.of("x", "w"), "y")
        .node("Tanh", List.of("w"), "z")
        .of("z")
        .withFixedSizes()
        .check();
  }

  @ParameterizedTest
  @CsvSource({
    "0, 0, 1, 1, 3 5",
    "1, 0, 0.5, 2, 5",
    "0, 1, -1.5, 0.5, 3 1",
    "1, 1, 2, -1, ''",
    "0, 0, 1, 1, 1 5"
  })
  void gemmInAllForms(long transA, long transB, float alpha, float beta, String c)
      throws Exception {
    for (long opset : new long[] {11, 13}) {
      new GradientCase(opset)
          .by("a", transA == 0 ? new long[] {3, 4} : new long[] {4, 3})
          .by("b", transB == 0 ? new long[] {4, 5} : new long[] {5, 4})
          .by("c", dims(c))
          .node(
              "Gemm",
              List.of("a", "b", "c"),
              "y",
              Attribute.of("transA", transA),
              Attribute.of("transB", transB),
              Attribute.of("alpha", alpha),
              Attribute.of("beta", beta))
          .of("y")
          .check();
    }
  }

  @Test
  void gemmWithoutBias() throws Exception {
    new GradientCase(11)
        .by("a", 3, 4)
        .by("b", 4, 5)
        .node("Gemm", List.of("a", "b"), "y")
        .of("y")
        .check();
  }
}
