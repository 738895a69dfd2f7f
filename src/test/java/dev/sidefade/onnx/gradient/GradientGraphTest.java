package dev.sidefade.onnx.gradient;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.sidefade.backbone.ShapeInference;
import dev.sidefade.onnx.Attribute;
import dev.sidefade.onnx.ElementType;
import dev.sidefade.onnx.GraphEdit;
import dev.sidefade.onnx.OnnxGraph;
import dev.sidefade.onnx.OnnxModel;
import dev.sidefade.onnx.OnnxNode;
import dev.sidefade.onnx.ValueInfo;
import dev.sidefade.onnx.gradient.Tensors.Tensor;
import dev.sidefade.tensor.BadInputException;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Whole graphs: blocks of transformers, random graphs, and what is refused. */
class GradientGraphTest {
  @ParameterizedTest
  @ValueSource(longs = {11, 12, 13, 14, 17, 18, 20, 23})
  void blockOfElementaryOperators(long opset) throws Exception {
    Block.of(opset, false).check();
  }

  @ParameterizedTest
  @ValueSource(longs = {11, 14, 17, 20, 23})
  void blockOfLargeOperators(long opset) throws Exception {
    Block.of(opset, true).check();
  }

  /** Random graphs of operators of any shape: every value may be used many times or never. */
  @ParameterizedTest
  @ValueSource(ints = {1, 2, 3, 4, 5, 6, 7, 8})
  void randomGraphs(int seed) throws Exception {
    Random random = new Random(seed);
    GradientCase made = new GradientCase(seed % 2 == 0 ? 13 : 18);
    made.by("v0", 3, 4).by("v1", 4).by("v2", 3, 1);
    List<String> binary = List.of("Add", "Sub", "Mul", "Mul", "Max");
    List<String> unary = List.of("Tanh", "Sigmoid", "Neg", "Softmax", "Identity");
    int count = 14;
    for (int i = 3; i < count; i++) {
      String a = "v" + random.nextInt(i);
      String b = "v" + random.nextInt(i);
      if (random.nextInt(3) == 0) {
        made.node(unary.get(random.nextInt(unary.size())), List.of(a), "v" + i);
      } else {
        made.node(binary.get(random.nextInt(binary.size())), List.of(a, b), "v" + i);
      }
    }
    made.node("Sum", List.of("v0", "v1", "v2", "v" + (count - 1)), "y");
    made.of("y", "v" + (count - 2)).check();
  }

  @Test
  void seedsMayEnterWhereTheGraphGoesOn() throws Exception {
    new GradientCase(13)
        .by("x", 3, 4)
        .node("Tanh", List.of("x"), "a")
        .node("Mul", List.of("a", "x"), "b")
        .node("Sigmoid", List.of("b"), "c")
        .of("c", "a", "b")
        .check();
  }

  @Test
  void anOutputMayBeTheInputItself() throws Exception {
    GradientCase made = new GradientCase(13).by("x", 3).node("Exp", List.of("x"), "y").of("y");
    OnnxModel model = made.model();
    model.graph().outputs().add(model.graph().inputs().getFirst());
    GradientGraph graph =
        GradientGraph.of(model, ShapeInference.infer(model), List.of("x"), List.of("x"));
    double[] seed = {1, -2, 3};
    Tensor gradient =
        Tensors.run(
                graph.backward(),
                true,
                Map.of(GradientGraph.seed("x"), new Tensor(ElementType.FLOAT, seed, 3)))
            .get(GradientGraph.gradient("x"));
    GradientCase.assertClose(seed, gradient.values(), 0, "x");
  }

  @Test
  void outputsThatDoNotDependOnAnyInputHaveSeedsWithoutEffect() throws Exception {
    new GradientCase(13)
        .by("x", 3)
        .fed("z", 3)
        .node("Exp", List.of("x"), "y")
        .node("Exp", List.of("z"), "u")
        .of("u", "y")
        .check();
  }

  @Test
  void namesOfGradientsAvoidThoseOfTheModel() throws Exception {
    GradientCase made = new GradientCase(13).by("x", 3, 4);
    String last = "x";
    for (String name :
        List.of(
            "sidefade.backward.0.Mul",
            "sidefade.backward.1.Sub",
            "sidefade.backward.1.Mul",
            "sidefade.constant",
            "sidefade.constant_1",
            "sidefade.shape.x")) {
      made.node("Tanh", List.of(last), name);
      last = name;
    }
    made.node("Flatten", List.of(last), "y").of("y").check();
  }

  @Test
  void constantsOfTheGraphMayBeNodes() throws Exception {
    GradientCase made = new GradientCase(13).by("x", 2, 3);
    made.node("Constant", List.of(), "shape", Attribute.ints("value_ints", 3, 2))
        .node("Constant", List.of(), "axes", Attribute.ints("value_ints", 0))
        .node("Identity", List.of("axes"), "same-axes")
        .node("Reshape", List.of("x", "shape"), "z")
        .node("ReduceSum", List.of("z", "same-axes"), "s", Attribute.of("keepdims", 0))
        .node("Mul", List.of("s", "s"), "y")
        .of("y")
        .check();
  }

  /** A model of two samples gives the sum of the gradients of each. */
  @Test
  void gradientsOfMicroBatchesAddUp() throws Exception {
    GradientCase made = Block.of(17, false);
    OnnxModel model = made.dynamicModel();
    GradientGraph graph =
        GradientGraph.of(
            model, ShapeInference.infer(model), List.of("first-scale", "up-bias"), List.of("y"));
    Map<String, Tensor> batch = new HashMap<>(made.feeds());
    batch.putAll(made.seeds());
    Map<String, Tensor> whole = Tensors.run(graph.joint(), true, batch);
    Map<String, Tensor> feeds = new HashMap<>(batch);
    Map<String, double[]> sums = new HashMap<>();
    for (int row = 0; row < 2; row++) {
      for (String name : List.of("x", "mask", GradientGraph.seed("y"))) {
        feeds.put(name, row(batch.get(name), row));
      }
      Tensors.run(graph.joint(), true, feeds)
          .forEach((name, tensor) -> {
            double[] sum = sums.computeIfAbsent(name, _ -> new double[tensor.values().length]);
            for (int i = 0; i < sum.length; i++) {
              sum[i] += tensor.values()[i];
            }
          });
    }
    assertEquals(2, whole.size());
    whole.forEach(
        (name, tensor) -> GradientCase.assertClose(tensor.values(), sums.get(name), 2e-6, name));
  }

  private static Tensor row(Tensor tensor, int row) {
    int size = tensor.values().length / 2;
    double[] values = new double[size];
    System.arraycopy(tensor.values(), row * size, values, 0, size);
    long[] dims = tensor.dims().clone();
    dims[0] = 1;
    return new Tensor(tensor.type(), values, dims);
  }

  private static String refusal(GradientCase made) {
    return refusal(made.model(), List.of("x"), List.of("y"));
  }

  private static String refusal(OnnxModel model, List<String> by, List<String> of) {
    Map<String, long[]> shapes = ShapeInference.infer(model);
    return assertThrows(BadInputException.class, () -> GradientGraph.of(model, shapes, by, of))
        .getMessage();
  }

  @Test
  void operatorsWithoutARuleAreNamedWithTheirPlace() {
    String message =
        refusal(
            new GradientCase(13)
                .by("x", 3, 4)
                .node("Tanh", List.of("x"), "z")
                .node("Einsum", List.of("z"), "e", Attribute.of("equation", "ij->i"))
                .node("Exp", List.of("e"), "y")
                .of("y"));
    assertTrue(message.contains("Einsum"), message);
    assertTrue(message.contains("node e "), message);
    assertTrue(message.contains("input x "), message);
    assertTrue(message.contains("output y"), message);
  }

  @Test
  void operatorsWithoutARuleThatAreNotInBetweenDoNotMatter() throws Exception {
    new GradientCase(13)
        .by("x", 3)
        .fed("z", 3, 4)
        .node("Einsum", List.of("z"), "e", Attribute.of("equation", "ij->i"))
        .node("Mul", List.of("x", "e"), "y")
        .node("Einsum", List.of("y"), "unused", Attribute.of("equation", "i->"))
        .of("y")
        .inSinglePrecision()
        .check();
  }

  @Test
  void operatorsOfOtherDomainsAreRefused() {
    OnnxModel model =
        new GradientCase(17).by("x", 3, 4).node("Gelu", List.of("x"), "y").of("y").model();
    model.setOpset("com.microsoft", 1);
    model.graph().nodes().getFirst().setDomain("com.microsoft");
    assertTrue(refusal(model, List.of("x"), List.of("y")).contains("Gelu"));
  }

  @Test
  void nestedGraphsInBetweenAreRefused() {
    OnnxModel model = new GradientCase(13).by("x", 3).node("Exp", List.of("x"), "z").model();
    OnnxGraph graph = model.graph();
    graph.addInput("flag", ElementType.BOOL);
    OnnxGraph branch = new OnnxGraph("branch");
    branch.addNode("Neg", List.of("z"), List.of("negated"));
    branch.outputs().add(ValueInfo.untyped("negated"));
    OnnxGraph other = new OnnxGraph("other");
    other.addNode("Identity", List.of("z"), List.of("kept"));
    other.outputs().add(ValueInfo.untyped("kept"));
    graph.addNode(
        "If",
        List.of("flag"),
        List.of("y"),
        Attribute.graph("then_branch", branch),
        Attribute.graph("else_branch", other));
    graph.addOutput("y", ElementType.FLOAT, 3L);
    assertTrue(refusal(model, List.of("x"), List.of("y")).contains("If"));
    // beside a way that can be differentiated, and without a declared type
    graph.outputs().clear();
    graph.addNode("Add", List.of("x", "y"), List.of("sum"));
    graph.addOutput("sum", ElementType.FLOAT, 3L);
    assertTrue(refusal(model, List.of("x"), List.of("sum")).contains("If"));
  }

  @Test
  void formsThatCannotBeDifferentiatedSayWhy() {
    String steps =
        refusal(
            new GradientCase(13)
                .by("x", 6)
                .longs("start", 0)
                .longs("end", 6)
                .longs("axis", 0)
                .longs("step", 2)
                .node("Slice", List.of("x", "start", "end", "axis", "step"), "y")
                .of("y"));
    assertTrue(steps.contains("steps other than 1"), steps);
    String exponent =
        refusal(
            new GradientCase(13)
                .fed("base", 3)
                .by("x", 3)
                .node("Pow", List.of("base", "x"), "y")
                .of("y"));
    assertTrue(exponent.contains("exponent"), exponent);
  }

  @Test
  void inputsWithoutInfluenceAreNamed() {
    OnnxModel model =
        new GradientCase(13)
            .by("x", 3)
            .by("idle", 3)
            .node("Exp", List.of("x"), "y")
            .node("Shape", List.of("idle"), "shape")
            .node("Expand", List.of("x", "shape"), "z")
            .of("y", "z")
            .model();
    String message = refusal(model, List.of("x", "idle"), List.of("y", "z"));
    assertTrue(message.contains("idle"), message);
  }

  @Test
  void valuesThatAreMissingOrNoFloatsAreNamed() {
    GradientCase made =
        new GradientCase(13)
            .by("x", 3)
            .fed("at", new Tensor(ElementType.INT64, new double[] {1}, 1))
            .constant("w", 3)
            .node("Add", List.of("x", "w"), "y")
            .node("Shape", List.of("y"), "shape")
            .of("y", "shape");
    OnnxModel model = made.model();
    assertTrue(refusal(model, List.of("w"), List.of("y")).contains("no input named w"));
    assertTrue(refusal(model, List.of("x"), List.of("z")).contains("no output named z"));
    assertTrue(refusal(model, List.of("at"), List.of("y")).contains("INT64"));
    assertTrue(refusal(model, List.of("x"), List.of("shape")).contains("INT64"));
    assertTrue(refusal(model, List.of("x", "x"), List.of("y")).contains("named twice"));
    assertTrue(refusal(model, List.of(), List.of("y")).contains("name at least one"));
    assertTrue(refusal(model, List.of("x"), List.of()).contains("name at least one"));
  }

  @Test
  void oldOpsetsAreRefused() {
    OnnxModel model =
        new GradientCase(10).by("x", 3).node("Exp", List.of("x"), "y").of("y").model();
    assertTrue(refusal(model, List.of("x"), List.of("y")).contains("opset 10"));
  }

  @Test
  void aGradientOfAGradientNeedsOtherNames() throws Exception {
    GradientCase made = new GradientCase(13).by("x", 3).node("Exp", List.of("x"), "y").of("y");
    OnnxModel joint = made.gradients(false).joint();
    String seed = GradientGraph.seed("y");
    OnnxModel renamed = joint.copy();
    GraphEdit.replaceUses(renamed.graph(), GradientGraph.gradient("x"), "slope");
    OnnxNode last = renamed.graph().nodes().getLast();
    last.outputs().set(0, "slope");
    last.setName("slope");
    GradientGraph second =
        GradientGraph.of(renamed, ShapeInference.infer(renamed), List.of("x"), List.of("slope"));
    double[] x = made.feeds().get("x").values();
    double[] ones = {1, 1, 1};
    Tensor curvature =
        Tensors.run(
                second.joint(),
                true,
                Map.of(
                    "x",
                    made.feeds().get("x"),
                    seed,
                    new Tensor(ElementType.FLOAT, ones, 3),
                    GradientGraph.seed("slope"),
                    new Tensor(ElementType.FLOAT, ones, 3)))
            .get(GradientGraph.gradient("x"));
    double[] expected = {Math.exp(x[0]), Math.exp(x[1]), Math.exp(x[2])};
    GradientCase.assertClose(expected, curvature.values(), 1e-6, "second derivative");
    assertFalse(second.joint().graph().nodes().isEmpty());

    OnnxModel again = made.gradients(false).joint();
    again.graph().outputs().add(ValueInfo.of("y", ElementType.FLOAT, 3L));
    String message = refusal(again, List.of("x"), List.of("y"));
    assertTrue(message.contains(GradientGraph.gradient("x")), message);
  }
}
