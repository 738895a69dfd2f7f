package dev.sidefade.backbone;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import dev.sidefade.onnx.GraphEdit;
import dev.sidefade.onnx.OnnxGraph;
import dev.sidefade.onnx.OnnxModel;
import dev.sidefade.onnx.OnnxNode;
import dev.sidefade.tensor.DType;
import dev.sidefade.tensor.Shape;
import dev.sidefade.tensor.Tensor;
import java.lang.foreign.Arena;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;

/**
 * Learns the shapes of values whose rank ONNX Runtime cannot infer, which it reports as if they
 * were scalars, by computing them: masks that are expanded to a computed shape make all attention
 * scores such values in some exports.
 */
final class ShapeProbe {
  private final OnnxModel model;
  private final List<InputSpec> inputs;
  private final List<TunableConstant> constants;

  private ShapeProbe(OnnxModel model, List<InputSpec> inputs, List<TunableConstant> constants) {
    this.model = model;
    this.inputs = inputs;
    this.constants = constants;
  }

  /** Corrects the shapes of all values that are reported as scalars. */
  static void complete(
      OnnxModel model,
      List<InputSpec> inputs,
      List<TunableConstant> constants,
      Map<String, long[]> shapes) {
    complete(model, inputs, constants, Set.of(), shapes);
  }

  /**
   * Corrects the shapes of some values, of those that tuned constants influence, of those that meet
   * these in a node, and of all that are reported as scalars. What cannot be computed is removed:
   * its rank is not known.
   *
   * @param values that must have a shape in any case
   * @param shapes what was inferred: changed
   */
  static void complete(
      OnnxModel model,
      List<InputSpec> inputs,
      List<TunableConstant> constants,
      Set<String> values,
      Map<String, long[]> shapes) {
    OnnxGraph graph = model.graph();
    Set<String> wanted = new HashSet<>(values);
    shapes.forEach((value, shape) -> {
      if (shape.length == 0) {
        wanted.add(value);
      }
    });
    for (String value : influenced(graph, constants)) {
      wanted.add(value);
      wanted.addAll(graph.producerOf(value).orElseThrow().inputs());
    }
    List<String> doubtful =
        wanted.stream()
            .filter(value -> graph.producerOf(value).isPresent())
            .filter(value -> shapes.getOrDefault(value, new long[0]).length == 0)
            .sorted()
            .toList();
    shapes.keySet().removeAll(doubtful);
    boolean feedable = inputs.stream().noneMatch(input -> input.dims().isEmpty());
    if (!doubtful.isEmpty() && feedable) {
      shapes.putAll(new ShapeProbe(model, inputs, constants).shapes(doubtful));
    }
  }

  /** Values that constants influence, but for what only reads sizes. */
  private static Set<String> influenced(OnnxGraph graph, List<TunableConstant> constants) {
    Set<String> reached = new HashSet<>();
    List<String> open = new ArrayList<>();
    constants.forEach(constant -> open.add(constant.name()));
    while (!open.isEmpty()) {
      for (OnnxNode user : graph.usersOf(open.removeLast())) {
        if (!user.is("Shape") && !user.is("Size")) {
          user.outputs().stream()
              .filter(value -> !value.isEmpty() && reached.add(value))
              .forEach(open::add);
        }
      }
    }
    return reached;
  }

  /** Runs twice with inputs of different sizes; what is the same is taken to be fixed. */
  private Map<String, long[]> shapes(List<String> values) {
    OnnxModel probe = model.copy();
    OnnxGraph graph = probe.graph();
    Map<String, String> outputs = new LinkedHashMap<>();
    for (String value : values) {
      String shape = graph.uniqueName("sidefade.shape");
      graph.addNode("Shape", List.of(value), List.of(shape));
      outputs.put(value, shape);
    }
    graph.outputs().clear();
    GraphEdit.exposeOutputs(probe, List.copyOf(outputs.values()));
    Map<String, long[]> shapes = new LinkedHashMap<>();
    try (OrtSession.SessionOptions options = Sessions.options(1);
        OrtSession session = Sessions.open(probe, options)) {
      Map<String, long[]> small = run(session, outputs, 2, 5);
      Map<String, long[]> large = run(session, outputs, 3, 7);
      for (String value : values) {
        long[] shape = Objects.requireNonNull(small.get(value));
        long[] other = Objects.requireNonNull(large.get(value));
        for (int i = 0; i < shape.length; i++) {
          shape[i] = shape[i] == other[i] ? shape[i] : -1;
        }
        shapes.put(value, shape);
      }
    } catch (OrtException e) {
      // zeros are no input that this model takes: the shapes stay unknown
      return Map.of();
    }
    return shapes;
  }

  private Map<String, long[]> run(
      OrtSession session, Map<String, String> outputs, long batch, long sequence)
      throws OrtException {
    Map<String, long[]> shapes = new LinkedHashMap<>();
    try (Arena arena = Arena.ofConfined();
        NativeTensors natives = new NativeTensors()) {
      Map<String, OnnxTensor> fed = new LinkedHashMap<>();
      for (InputSpec input : inputs) {
        long[] dims = input.dims().stream().mapToLong(dim -> dim < 0 ? sequence : dim).toArray();
        dims[0] = batch;
        Tensor zeros = zeros(arena, Shape.of(dims), input.dtype());
        fed.put(input.name(), natives.over(input.name(), zeros));
      }
      for (TunableConstant constant : constants) {
        Tensor zeros = zeros(arena, constant.shape(), DType.F32);
        fed.put(constant.name(), natives.over(constant.name(), zeros));
      }
      try (OrtSession.Result result = session.run(fed)) {
        for (Map.Entry<String, String> output : outputs.entrySet()) {
          OnnxTensor shape = (OnnxTensor) result.get(output.getValue()).orElseThrow();
          long[] dims = new long[Math.toIntExact(shape.getInfo().getNumElements())];
          shape.getLongBuffer().get(dims);
          shapes.put(output.getKey(), dims);
        }
      }
    }
    return shapes;
  }

  private static Tensor zeros(Arena arena, Shape shape, DType type) {
    long bytes = Math.multiplyExact(shape.size(), type.bytes());
    return Tensor.wrap(arena.allocate(bytes, Long.BYTES), shape, type);
  }
}
