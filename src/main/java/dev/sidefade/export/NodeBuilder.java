package dev.sidefade.export;

import dev.sidefade.onnx.Attribute;
import dev.sidefade.onnx.Initializer;
import dev.sidefade.onnx.OnnxGraph;
import dev.sidefade.onnx.OnnxModel;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Appends nodes to a graph in the spelling of its opset. Every method returns the name of the value
 * that comes out; all names begin with one prefix.
 */
final class NodeBuilder {
  private final OnnxGraph graph;
  private final long opset;
  private final String prefix;

  /** Constants of shapes, axes and numbers that were added already, by their local names. */
  private final Map<String, String> shared = new HashMap<>();

  NodeBuilder(OnnxModel model, String prefix) {
    this.graph = model.graph();
    this.opset = model.opset();
    this.prefix = prefix;
  }

  OnnxGraph graph() {
    return graph;
  }

  /** A node with one output. */
  String node(String opType, String label, List<String> inputs, Attribute... attributes) {
    String output = graph.uniqueName(prefix + label);
    graph.addNode(opType, inputs, List.of(output), attributes);
    return output;
  }

  /** A constant of its own. */
  String floats(String label, float[] values, long... dims) {
    String name = graph.uniqueName(prefix + label);
    graph.addInitializer(Initializer.floats(name, values, dims));
    return name;
  }

  /** A number; the same number is added once. */
  String number(float value) {
    return shared.computeIfAbsent("number." + value, label -> floats(label, new float[] {value}));
  }

  /** A list of integers; the same list is added once. */
  String longs(long... values) {
    StringBuilder label = new StringBuilder("integers");
    for (long value : values) {
      label.append('.').append(value);
    }
    return shared.computeIfAbsent(
        label.toString(),
        key -> {
          String name = graph.uniqueName(prefix + key);
          graph.addInitializer(Initializer.longs(name, values, values.length));
          return name;
        });
  }

  String add(String label, String a, String b) {
    return node("Add", label, List.of(a, b));
  }

  String multiply(String label, String a, String b) {
    return node("Mul", label, List.of(a, b));
  }

  /** x [.., I] times weight [I, O] plus bias [O]. */
  String linear(String label, String x, String weight, String bias) {
    String product = node("MatMul", label + ".product", List.of(x, weight));
    return add(label, product, bias);
  }

  String reshape(String label, String x, long... dims) {
    return node("Reshape", label, List.of(x, longs(dims)));
  }

  String transpose(String label, String x, long... order) {
    return node("Transpose", label, List.of(x), Attribute.ints("perm", order));
  }

  /** Everything from an index on, along one axis. */
  String from(String label, String x, long start, long axis) {
    List<String> inputs = List.of(x, longs(start), longs(Long.MAX_VALUE), longs(axis));
    return node("Slice", label, inputs);
  }

  /** What stands at an index of one axis, which is gone then. */
  String at(String label, String x, long index, long axis) {
    String place =
        shared.computeIfAbsent(
            "integer." + index,
            key -> {
              String name = graph.uniqueName(prefix + key);
              graph.addInitializer(Initializer.longs(name, new long[] {index}));
              return name;
            });
    return node("Gather", label, List.of(x, place), Attribute.of("axis", axis));
  }

  String reduceMean(String label, String x, long axis, boolean keep) {
    return withAxes("ReduceMean", 18, label, x, axis, keepDimensions(keep));
  }

  String reduceSum(String label, String x, long axis, boolean keep) {
    return withAxes("ReduceSum", 13, label, x, axis, keepDimensions(keep));
  }

  String unsqueeze(String label, String x, long axis) {
    return withAxes("Unsqueeze", 13, label, x, axis);
  }

  /** Pieces of the given sizes along the last of three axes. */
  List<String> split(String label, String x, long... sizes) {
    List<String> outputs = new ArrayList<>();
    for (int i = 0; i < sizes.length; i++) {
      outputs.add(graph.uniqueName(prefix + label + "." + i));
    }
    Attribute axis = Attribute.of("axis", 2L);
    if (opset >= 13) {
      graph.addNode("Split", List.of(x, longs(sizes)), outputs, axis);
    } else {
      graph.addNode("Split", List.of(x), outputs, axis, Attribute.ints("split", sizes));
    }
    return outputs;
  }

  /** Over the innermost dimension. */
  String softmax(String label, String x) {
    return node("Softmax", label, List.of(x), Attribute.of("axis", -1L));
  }

  /** The exact GELU, x Phi(x). */
  String gelu(String label, String x) {
    if (opset >= 20) {
      return node("Gelu", label, List.of(x));
    }
    String scaled = node("Div", label + ".scaled", List.of(x, number((float) Math.sqrt(2))));
    String erf = node("Erf", label + ".erf", List.of(scaled));
    String shifted = add(label + ".shifted", erf, number(1));
    String product = multiply(label + ".product", x, shifted);
    return multiply(label, product, number(0.5f));
  }

  /** Over the innermost dimension; scale and shift are [D]. */
  String layerNorm(String label, String x, String scale, String shift, float epsilon) {
    if (opset >= 17) {
      Attribute axis = Attribute.of("axis", -1L);
      Attribute small = Attribute.of("epsilon", epsilon);
      return node("LayerNormalization", label, List.of(x, scale, shift), axis, small);
    }
    String mean = reduceMean(label + ".mean", x, -1, true);
    String centred = node("Sub", label + ".centred", List.of(x, mean));
    String squared = node("Pow", label + ".squared", List.of(centred, number(2)));
    String variance = reduceMean(label + ".variance", squared, -1, true);
    String shifted = add(label + ".shifted", variance, number(epsilon));
    String deviation = node("Sqrt", label + ".deviation", List.of(shifted));
    String normalised = node("Div", label + ".normalised", List.of(centred, deviation));
    return add(label, multiply(label + ".scaled", normalised, scale), shift);
  }

  /** Axes are an attribute in old opsets and an input since {@code changedAt}. */
  private String withAxes(
      String opType, long changedAt, String label, String x, long axis, Attribute... others) {
    List<Attribute> attributes = new ArrayList<>(List.of(others));
    List<String> inputs = new ArrayList<>(List.of(x));
    if (opset >= changedAt) {
      inputs.add(longs(axis));
    } else {
      attributes.add(Attribute.ints("axes", axis));
    }
    return node(opType, label, inputs, attributes.toArray(Attribute[]::new));
  }

  private static Attribute keepDimensions(boolean keep) {
    return Attribute.of("keepdims", keep ? 1L : 0L);
  }
}
