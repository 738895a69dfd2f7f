package dev.sidefade.onnx;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.sidefade.tensor.BadInputException;
import java.util.Collections;
import java.util.List;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;

class ModelCheckTest {

  private static void assertRefused(String expected, Consumer<OnnxModel> damage) {
    OnnxModel model = TestModels.branching();
    ModelCheck.check(model);
    damage.accept(model);
    String message =
        assertThrows(BadInputException.class, () -> ModelCheck.check(model)).getMessage();
    assertTrue(message.contains(expected), message);
    assertFalse(message.endsWith("."));
  }

  @Test
  void valueDefinedTwice() {
    assertRefused(
        "node sum (Add) defines the value product, which node product (MatMul) defines too",
        model -> model.graph().nodes().get(1).outputs().set(0, "product"));
    assertRefused(
        "node sum (Add) defines the value w, which is defined outside the nodes too",
        model -> model.graph().nodes().get(1).outputs().set(0, "w"));
    assertRefused(
        "output z occurs twice", model -> model.graph().outputs().add(ValueInfo.untyped("z")));
    assertRefused(
        "input x occurs twice", model -> model.graph().addInput("x", ElementType.FLOAT, 1L));
  }

  @Test
  void valueThatNothingDefines() {
    assertRefused(
        "node sum (Add) uses the value ghost, which nothing defines",
        model -> model.graph().nodes().get(1).inputs().set(1, "ghost"));
    assertRefused(
        "output ghost is computed by no node",
        model -> model.graph().outputs().add(ValueInfo.untyped("ghost")));
  }

  @Test
  void valueUsedBeforeItIsComputed() {
    assertRefused(
        "before node product (MatMul) computes it; sort the graph",
        model -> Collections.swap(model.graph().nodes(), 0, 1));
  }

  @Test
  void cycle() {
    assertRefused(
        "node product (MatMul) needs its own result",
        model -> model.graph().nodes().getFirst().inputs().set(0, "y"));
  }

  @Test
  void nestedGraphs() {
    assertRefused(
        "node z (If) uses the value ghost",
        model -> nested(model).nodes().getFirst().inputs().set(0, "ghost"));
    assertRefused(
        "node scaled (Mul) defines the value sum",
        model -> {
          nested(model).nodes().getFirst().outputs().set(0, "sum");
          nested(model).outputs().set(0, ValueInfo.untyped("sum"));
        });
    assertRefused(
        "is of the domain elsewhere",
        model -> nested(model).nodes().getFirst().setDomain("elsewhere"));
  }

  private static OnnxGraph nested(OnnxModel model) {
    return model.graph().nodes().getLast().subgraphs().getFirst();
  }

  @Test
  void domainThatIsNotImported() {
    assertRefused(
        "node y (Relu) is of the domain com.microsoft, which the model does not import",
        model -> model.graph().nodes().get(2).setDomain("com.microsoft"));
    OnnxModel model = TestModels.linear();
    model.graph().nodes().get(2).setDomain("com.microsoft");
    model.setOpset("com.microsoft", 1);
    model.graph().nodes().get(0).setDomain("ai.onnx");
    ModelCheck.check(model);
  }

  @Test
  void declarations() {
    assertRefused(
        "input untyped has no type",
        model -> model.graph().inputs().add(ValueInfo.untyped("untyped")));
    assertRefused(
        "value z is declared with the types INT64 and FLOAT",
        model -> model.graph().valueInfos().add(ValueInfo.of("z", ElementType.INT64, 1L)));
    assertRefused("no outputs", model -> model.graph().outputs().clear());
    assertRefused(
        "an output of the model has no name",
        model -> model.graph().outputs().add(ValueInfo.untyped("")));
    assertRefused("has no operator", model -> model.graph().nodes().getFirst().setOpType(""));
  }

  @Test
  void initializers() {
    assertRefused(
        "the initializer b is filed under the name c",
        model -> {
          OnnxGraph graph = model.graph();
          graph.initializers().put("c", graph.initializers().get("b"));
        });
  }

  @Test
  void oldModelsMayDeclareInitializersAsInputs() {
    OnnxModel model = TestModels.linear();
    model.graph().addInput("w", ElementType.FLOAT, 4L, 3L);
    ModelCheck.check(model);
    List<Dimension> dims = model.graph().inputs().getLast().dims();
    assertTrue(dims.contains(new Dimension.Static(3)));
  }
}
