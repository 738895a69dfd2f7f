package dev.sidefade.onnx.gradient;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.sidefade.onnx.Attribute;
import dev.sidefade.onnx.ElementType;
import dev.sidefade.onnx.OnnxModel;
import dev.sidefade.onnx.OnnxNode;
import dev.sidefade.onnx.gradient.Tensors.Tensor;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Operators that move, cut and join elements, against differences. */
class ShapeRulesTest {
  private static boolean uses(OnnxModel model, String operator) {
    return model.graph().nodes().stream().map(OnnxNode::opType).anyMatch(operator::equals);
  }

  @ParameterizedTest
  @CsvSource({"6 4", "-1 2", "0 0 2 2", "24"})
  void reshape(String target) throws Exception {
    long[] shape = List.of(target.split(" ")).stream().mapToLong(Long::parseLong).toArray();
    for (long opset : new long[] {11, 14}) {
      new GradientCase(opset)
          .by("x", 2, 3, 4)
          .longs("shape", shape)
          .node("Reshape", List.of("x", "shape"), "z")
          .node("Mul", List.of("z", "z"), "y")
          .of("y")
          .check();
    }
  }

  @Test
  void reshapeToASizeComputedFromTheInput() throws Exception {
    new GradientCase(13)
        .by("x", 2, 3, 4)
        .longs("first", 0)
        .longs("rest", -1)
        .node("Shape", List.of("x"), "shape")
        .node("Gather", List.of("shape", "first"), "batch")
        .node("Concat", List.of("batch", "rest"), "target", Attribute.of("axis", 0))
        .node("Reshape", List.of("x", "target"), "z")
        .node("Mul", List.of("z", "z"), "y")
        .of("y")
        .check();
  }

  @ParameterizedTest
  @ValueSource(longs = {11, 12, 13, 20})
  void squeezeAndUnsqueeze(long opset) throws Exception {
    GradientCase made = new GradientCase(opset).by("x", 1, 3, 1, 4);
    if (opset >= 13) {
      made.longs("in", -2, 0)
          .longs("out", 0, -1)
          .node("Squeeze", List.of("x", "in"), "z")
          .node("Unsqueeze", List.of("z", "out"), "u");
    } else {
      made.node("Squeeze", List.of("x"), "z", Attribute.ints("axes", -2, 0))
          .node("Unsqueeze", List.of("z"), "u", Attribute.ints("axes", 0, -1));
    }
    made.node("Mul", List.of("u", "u"), "y").of("y").check();
  }

  @Test
  void squeezeOfAllAxesOfOne() throws Exception {
    new GradientCase(13)
        .by("x", 1, 3, 1)
        .node("Squeeze", List.of("x"), "y")
        .of("y")
        .withFixedSizes()
        .check();
  }

  @Test
  void flatten() throws Exception {
    for (long axis : new long[] {0, 1, -1, 3}) {
      new GradientCase(13)
          .by("x", 2, 3, 4)
          .node("Flatten", List.of("x"), "y", Attribute.of("axis", axis))
          .of("y")
          .check();
    }
  }

  @Test
  void transpose() throws Exception {
    for (long[] permutation : new long[][] {{1, 2, 0, 3}, {3, 0, 2, 1}, {0, 1, 3, 2}}) {
      new GradientCase(13)
          .by("x", 2, 3, 4, 5)
          .node("Transpose", List.of("x"), "y", Attribute.ints("perm", permutation))
          .of("y")
          .check();
    }
    new GradientCase(11).by("x", 2, 3, 4).node("Transpose", List.of("x"), "y").of("y").check();
  }

  @Test
  void expand() throws Exception {
    new GradientCase(13)
        .by("x", 3, 1)
        .longs("shape", 2, 1, 5)
        .node("Expand", List.of("x", "shape"), "y")
        .of("y")
        .check();
  }

  @ParameterizedTest
  @CsvSource({"11, 1", "13, -1", "18, 1"})
  void splitWithAndWithoutSizes(long opset, long axis) throws Exception {
    for (boolean sized : new boolean[] {true, false}) {
      for (List<String> wanted : List.of(List.of("a", "b", "c"), List.of("b"))) {
        GradientCase made = new GradientCase(opset).by("x", 2, 6, 6);
        Attribute[] with = {Attribute.of("axis", axis)};
        List<String> from = List.of("x");
        if (sized && opset >= 13) {
          made.longs("sizes", 1, 3, 2);
          from = List.of("x", "sizes");
        } else if (sized) {
          with = new Attribute[] {with[0], Attribute.ints("split", 1, 3, 2)};
        } else if (opset >= 18) {
          with = new Attribute[] {with[0], Attribute.of("num_outputs", 3)};
        }
        made.node("Split", from, List.of("a", "b", "c"), with);
        wanted.forEach(part -> made.node("Mul", List.of(part, part), part + "2").of(part + "2"));
        made.check();
      }
    }
  }

  @ParameterizedTest
  @ValueSource(longs = {11, 13})
  void concat(long opset) throws Exception {
    for (long axis : new long[] {1, -2}) {
      new GradientCase(opset)
          .by("a", 2, 3, 4)
          .fed("between", 2, 2, 4)
          .by("b", 2, 1, 4)
          .by("c", 2, 4, 4)
          .node("Concat", List.of("a", "between", "b", "c"), "y", Attribute.of("axis", axis))
          .of("y")
          .check();
    }
  }

  @ParameterizedTest
  @CsvSource({
    "11, 1, 3, 1",
    "13, 0, 1, 0",
    "13, -2, 9223372036854775807, 2",
    "20, -3, -1, -1",
    "13, 2, 2147483647, 1",
    "13, -9223372036854775807, 2, 1",
    "13, 0, 9223372036854775807, 1",
    "11, -7, 2, 2"
  })
  void sliceOfOneAxis(long opset, long start, long end, long axis) throws Exception {
    new GradientCase(opset)
        .by("x", 2, 4, 5)
        .longs("start", start)
        .longs("end", end)
        .longs("axis", axis)
        .node("Slice", List.of("x", "start", "end", "axis"), "z")
        .node("Mul", List.of("z", "z"), "y")
        .of("y")
        .check();
  }

  @Test
  void sliceOfSeveralAxes() throws Exception {
    for (long opset : new long[] {11, 18}) {
      new GradientCase(opset)
          .by("x", 3, 4, 5)
          .longs("start", -2, 1)
          .longs("end", 5, -1)
          .longs("axis", -1, 0)
          .longs("step", 1, 1)
          .node("Slice", List.of("x", "start", "end", "axis", "step"), "y")
          .of("y")
          .check();
      new GradientCase(opset)
          .by("x", 3, 4, 5)
          .longs("start", 1, 0)
          .longs("end", 3, 3)
          .node("Slice", List.of("x", "start", "end"), "y")
          .of("y")
          .check();
    }
  }

  @Test
  void sliceToAnEndThatIsFed() throws Exception {
    new GradientCase(13)
        .by("x", 3, 6)
        .fed("end", new Tensor(ElementType.INT64, new double[] {4}, 1))
        .longs("start", 1)
        .longs("axis", 1)
        .node("Slice", List.of("x", "start", "end", "axis"), "y")
        .of("y")
        .check();
  }

  @ParameterizedTest
  @CsvSource({"11, 0", "13, 1", "16, 2", "20, -1"})
  void gatherWithConstants(long opset, long axis) throws Exception {
    long[][] dims = {{}, {1}, {2}, {3}, {4}, {2, 2}, {2, 1}};
    long[][] indices = {{-1}, {1}, {1, 2}, {2, 0, 1}, {0, 2, 2, -1}, {0, 0, -1, 1}, {1, 2}};
    for (int i = 0; i < dims.length; i++) {
      new GradientCase(opset)
          .by("x", 3, 4, 3)
          .indices("at", indices[i], dims[i])
          .node("Gather", List.of("x", "at"), "z", Attribute.of("axis", axis))
          .node("Mul", List.of("z", "z"), "y")
          .of("y")
          .check();
    }
  }

  @Test
  void gatherWithIndicesThatAreFed() throws Exception {
    for (long opset : new long[] {11, 17}) {
      new GradientCase(opset)
          .by("table", 5, 4)
          .fed("at", new Tensor(ElementType.INT64, new double[] {1, 4, 1, 0, -1, 1}, 2, 3))
          .node("Gather", List.of("table", "at"), "z")
          .node("Mul", List.of("z", "z"), "y")
          .of("y")
          .check();
    }
  }

  @Test
  void gatherNdAddsWhatIsReadTwice() throws Exception {
    new GradientCase(16)
        .by("x", 3, 4, 2)
        .indices("at", new long[] {0, 1, 2, 3, 0, 1}, 3, 2)
        .node("GatherND", List.of("x", "at"), "z")
        .node("Mul", List.of("z", "z"), "y")
        .of("y")
        .check();
  }

  /** Queries, keys and values cut from one product are put together again, not padded and added. */
  @Test
  void piecesThatFillAnAxisAreJoined() throws Exception {
    GradientCase made = new GradientCase(13).by("x", 3, 2, 4);
    for (int i = 0; i < 3; i++) {
      String at = "at" + i;
      String part = "part" + i;
      made.indices(at, new long[] {i == 2 ? -1 : i})
          .node("Gather", List.of("x", at), part)
          .node("Mul", List.of(part, part), "y" + i)
          .of("y" + i);
    }
    made.check();
    OnnxModel backward = made.gradients(false).backward();
    assertFalse(uses(backward, "Pad"));
    assertTrue(uses(backward, "Concat"));
  }

  /** A reshape of one open size needs no shape of the forward graph. */
  @Test
  void oneOpenSizeNeedsNoShape() {
    GradientCase made =
        new GradientCase(13)
            .by("w", 12)
            .fed("x", 5, 3, 4)
            .longs("shape", -1, 12)
            .node("Reshape", List.of("x", "shape"), "z")
            .node("Mul", List.of("z", "w"), "y")
            .of("y");
    assertEquals(List.of(), made.gradients(false).saved());
  }
}
