package dev.sidefade.onnx.gradient;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import dev.sidefade.backbone.ShapeInference;
import dev.sidefade.onnx.Attribute;
import dev.sidefade.onnx.ElementType;
import dev.sidefade.onnx.Initializer;
import dev.sidefade.onnx.ModelCheck;
import dev.sidefade.onnx.OnnxGraph;
import dev.sidefade.onnx.OnnxModel;
import dev.sidefade.onnx.OnnxNode;
import dev.sidefade.onnx.ValueInfo;
import dev.sidefade.onnx.gradient.Tensors.Tensor;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;

/**
 * A small model whose gradients are compared with central differences of the same model. It is
 * built twice: with elements of 32 bits and sizes that are declared, and with elements of 64 bits,
 * which leave no doubt about what is a rounding error, and sizes that are not declared.
 */
final class GradientCase {
  private record Step(String type, List<String> inputs, List<String> outputs, Attribute[] with) {}

  private final long opset;
  private final Random random;
  private final Map<String, Tensor> inputs = new LinkedHashMap<>();
  private final Map<String, Tensor> constants = new LinkedHashMap<>();
  private final List<Step> steps = new ArrayList<>();
  private final List<String> by = new ArrayList<>();
  private final List<String> of = new ArrayList<>();
  private boolean singleOnly;
  private boolean fixedSizes;

  GradientCase(long opset) {
    this.opset = opset;
    this.random = new Random(31 * opset + 7);
  }

  /** An input to differentiate by, with elements from -1 to 1. */
  GradientCase by(String name, long... dims) {
    return between(name, -1, 1, dims);
  }

  /** An input to differentiate by, with elements in a range. */
  GradientCase between(String name, double low, double high, long... dims) {
    by.add(name);
    inputs.put(name, randomTensor(low, high, dims));
    return this;
  }

  /** An input that is not differentiated by. */
  GradientCase fed(String name, Tensor tensor) {
    inputs.put(name, tensor);
    return this;
  }

  GradientCase fed(String name, long... dims) {
    return fed(name, randomTensor(-1, 1, dims));
  }

  GradientCase constant(String name, long... dims) {
    constants.put(name, randomTensor(-1, 1, dims));
    return this;
  }

  GradientCase number(String name, double value) {
    constants.put(name, new Tensor(ElementType.FLOAT, new double[] {value}));
    return this;
  }

  /** A list of int64. */
  GradientCase longs(String name, long... values) {
    return indices(name, values, values.length);
  }

  GradientCase indices(String name, long[] values, long... dims) {
    double[] doubles = new double[values.length];
    for (int i = 0; i < values.length; i++) {
      doubles[i] = values[i];
    }
    constants.put(name, new Tensor(ElementType.INT64, doubles, dims));
    return this;
  }

  GradientCase node(String type, List<String> from, List<String> to, Attribute... with) {
    steps.add(new Step(type, from, to, with));
    return this;
  }

  GradientCase node(String type, List<String> from, String to, Attribute... with) {
    return node(type, from, List.of(to), with);
  }

  /** An output whose seed is random. */
  GradientCase of(String... outputs) {
    of.addAll(List.of(outputs));
    return this;
  }

  /** For operators that ONNX Runtime has for 32 bits only. */
  GradientCase inSinglePrecision() {
    singleOnly = true;
    return this;
  }

  /** For what needs sizes to be declared. */
  GradientCase withFixedSizes() {
    fixedSizes = true;
    return this;
  }

  OnnxModel model() {
    return build(ElementType.FLOAT, false);
  }

  OnnxModel dynamicModel() {
    return build(ElementType.FLOAT, true);
  }

  GradientGraph gradients(boolean dynamic) {
    OnnxModel model = build(ElementType.FLOAT, dynamic);
    return GradientGraph.of(model, ShapeInference.infer(model), by, of);
  }

  Map<String, Tensor> feeds() {
    return inputs;
  }

  void check() throws OrtException {
    Map<String, Tensor> seeds = seeds();
    ElementType reference = singleOnly ? ElementType.FLOAT : ElementType.DOUBLE;
    Map<String, double[]> expected = differences(reference, seeds);
    check(ElementType.FLOAT, false, seeds, expected, singleOnly ? 4e-3 : 2e-5);
    if (singleOnly) {
      check(ElementType.FLOAT, !fixedSizes, seeds, expected, 4e-3);
    } else {
      check(ElementType.DOUBLE, !fixedSizes, seeds, expected, 1e-6);
    }
  }

  private void check(
      ElementType type,
      boolean dynamic,
      Map<String, Tensor> seeds,
      Map<String, double[]> expected,
      double tolerance)
      throws OrtException {
    OnnxModel model = build(type, dynamic);
    byte[] before = model.toBytes();
    GradientGraph graph = GradientGraph.of(model, ShapeInference.infer(model), by, of);
    assertArrayEquals(before, model.toBytes(), "the model was changed");
    assertSound(graph);
    Map<String, Tensor> feeds = new LinkedHashMap<>();
    inputs.forEach((name, tensor) -> feeds.put(name, typed(tensor, type)));
    seeds.forEach((name, tensor) -> feeds.put(name, typed(tensor, type)));

    boolean optimized = type == ElementType.FLOAT;
    Map<String, Tensor> original = Tensors.run(model, optimized, feeds);
    Map<String, Tensor> forward = Tensors.run(graph.forward(), optimized, feeds);
    original.forEach(
        (name, tensor) -> assertClose(tensor.values(), forward.get(name).values(), 1e-6, name));
    feeds.putAll(forward);
    Map<String, Tensor> backward = Tensors.run(graph.backward(), optimized, feeds);
    Map<String, Tensor> joint = Tensors.run(graph.joint(), optimized, feeds);
    for (String name : by) {
      Tensor gradient = backward.get(GradientGraph.gradient(name));
      String where = name + " of " + type + (dynamic ? " with open sizes" : "");
      assertArrayEquals(inputs.get(name).dims(), gradient.dims(), where);
      assertClose(expected.get(name), gradient.values(), tolerance, where);
      Tensor once = joint.get(GradientGraph.gradient(name));
      assertArrayEquals(gradient.dims(), once.dims(), where);
      assertClose(gradient.values(), once.values(), 2e-6, where + ", joint");
    }
  }

  private void assertSound(GradientGraph graph) {
    for (OnnxModel model : List.of(graph.forward(), graph.backward(), graph.joint())) {
      ModelCheck.check(model);
      assertEquals(opset, model.opset());
    }
    for (OnnxModel model : List.of(graph.backward(), graph.joint())) {
      assertEquals(by.stream().map(GradientGraph::gradient).toList(), names(model, true));
      Set<String> used = new HashSet<>(names(model, true));
      model.graph().nodes().forEach(node -> used.addAll(node.inputs()));
      for (OnnxNode node : model.graph().nodes()) {
        assertTrue(node.outputs().stream().anyMatch(used::contains), node + " is dead");
      }
    }
    List<String> backward = new ArrayList<>(graph.saved());
    backward.addAll(of.stream().map(GradientGraph::seed).toList());
    backward.addAll(graph.backwardInputs());
    assertEquals(backward, names(graph.backward(), false));
    assertEquals(of, names(graph.forward(), true).subList(0, of.size()));
  }

  private static List<String> names(OnnxModel model, boolean outputs) {
    List<ValueInfo> infos = outputs ? model.graph().outputs() : model.graph().inputs();
    return infos.stream().map(ValueInfo::name).toList();
  }

  static void assertClose(double[] expected, double[] actual, double tolerance, String what) {
    assertEquals(expected.length, actual.length, what);
    double largest = 1;
    for (double value : expected) {
      largest = Math.max(largest, Math.abs(value));
    }
    for (int i = 0; i < expected.length; i++) {
      assertEquals(expected[i], actual[i], tolerance * largest, what + ", element " + i);
    }
  }

  /** Seeds by the names of the inputs that take them. */
  Map<String, Tensor> seeds() throws OrtException {
    Map<String, Tensor> seeds = new LinkedHashMap<>();
    Map<String, Tensor> outputs = Tensors.run(model(), false, inputs);
    for (String output : of) {
      seeds.put(GradientGraph.seed(output), randomTensor(-1, 1, outputs.get(output).dims()));
    }
    return seeds;
  }

  /** Central differences of the sum of outputs times seeds by each element of each input. */
  private Map<String, double[]> differences(ElementType type, Map<String, Tensor> seeds)
      throws OrtException {
    double step = type == ElementType.DOUBLE ? 1e-4 : 1e-2;
    Map<String, Tensor> feeds = new LinkedHashMap<>();
    inputs.forEach((name, tensor) -> feeds.put(name, typed(tensor, type)));
    Map<String, double[]> differences = new LinkedHashMap<>();
    try (OrtSession session = Tensors.open(build(type, false), false)) {
      for (String name : by) {
        double[] values = feeds.get(name).values();
        double[] slopes = new double[values.length];
        for (int i = 0; i < values.length; i++) {
          double value = values[i];
          values[i] = value + step;
          double above = loss(session, feeds, seeds);
          values[i] = value - step;
          double below = loss(session, feeds, seeds);
          values[i] = value;
          slopes[i] = (above - below) / (2 * step);
        }
        differences.put(name, slopes);
      }
    }
    return differences;
  }

  private static double loss(
      OrtSession session, Map<String, Tensor> feeds, Map<String, Tensor> seeds)
      throws OrtException {
    double loss = 0;
    for (Map.Entry<String, Tensor> output : Tensors.run(session, feeds).entrySet()) {
      Tensor seed = seeds.get(GradientGraph.seed(output.getKey()));
      for (int i = 0; seed != null && i < seed.values().length; i++) {
        loss += seed.values()[i] * output.getValue().values()[i];
      }
    }
    return loss;
  }

  private OnnxModel build(ElementType type, boolean dynamic) {
    OnnxModel model = OnnxModel.create(opset >= 20 ? 9 : 7, opset);
    OnnxGraph graph = model.graph();
    inputs.forEach((name, tensor) -> {
      Object[] dims = new Object[tensor.dims().length];
      for (int i = 0; i < dims.length; i++) {
        // a size of 1 stays, for it says what is broadcast
        dims[i] = dynamic && tensor.dims()[i] > 1 ? name + i : (Object) tensor.dims()[i];
      }
      graph.addInput(name, typed(tensor, type).type(), dims);
    });
    constants.forEach((name, tensor) -> graph.addInitializer(initializer(name, tensor, type)));
    for (Step step : steps) {
      graph.addNode(step.type(), step.inputs(), step.outputs(), step.with());
    }
    of.forEach(output -> graph.outputs().add(ValueInfo.untyped(output)));
    return model;
  }

  private static Tensor typed(Tensor tensor, ElementType type) {
    return tensor.type() == ElementType.FLOAT ? tensor.as(type) : tensor;
  }

  private static Initializer initializer(String name, Tensor tensor, ElementType type) {
    Tensor typed = typed(tensor, type);
    MemorySegment data =
        MemorySegment.ofArray(new byte[(int) typed.type().bytes(typed.values().length)]);
    ByteOrder order = ByteOrder.LITTLE_ENDIAN;
    for (int i = 0; i < typed.values().length; i++) {
      double value = typed.values()[i];
      switch (typed.type()) {
        case FLOAT ->
            data.set(ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(order), 4L * i, (float) value);
        case DOUBLE -> data.set(ValueLayout.JAVA_DOUBLE_UNALIGNED.withOrder(order), 8L * i, value);
        case INT64 ->
            data.set(ValueLayout.JAVA_LONG_UNALIGNED.withOrder(order), 8L * i, (long) value);
        default -> throw new IllegalArgumentException("no test constants of type " + typed.type());
      }
    }
    return Initializer.of(name, typed.type(), data, typed.dims());
  }

  private Tensor randomTensor(double low, double high, long... dims) {
    int count = 1;
    for (long dim : dims) {
      count = Math.toIntExact(count * dim);
    }
    double[] values = new double[count];
    for (int i = 0; i < count; i++) {
      // floats, so that models of 32 and of 64 bits see the same numbers
      values[i] = (float) random.nextDouble(low, high);
    }
    return new Tensor(ElementType.FLOAT, values, dims);
  }
}
