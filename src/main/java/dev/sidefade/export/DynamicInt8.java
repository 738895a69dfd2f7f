package dev.sidefade.export;

import dev.sidefade.onnx.Attribute;
import dev.sidefade.onnx.ElementType;
import dev.sidefade.onnx.Initializer;
import dev.sidefade.onnx.ModelCheck;
import dev.sidefade.onnx.OnnxGraph;
import dev.sidefade.onnx.OnnxModel;
import dev.sidefade.onnx.OnnxNode;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * A model whose linear layers, {@code MatMul} and {@code Gemm} with a constant matrix, compute with
 * 8-bit integers. Weights are rounded here, symmetrically and with a scale for each output column;
 * what enters a layer is rounded while the model runs, with one scale for the whole tensor, so that
 * no examples are needed now. Convolutions, embeddings, norms, biases and the products of attention
 * stay as they are, in 32-bit floats.
 */
public final class DynamicInt8 {
  private final OnnxGraph graph;

  /** What was made of a matrix, by its name and how it is used. */
  private final Map<String, Stored> weights = new HashMap<>();

  /** What was made of a value that enters layers, by its name. */
  private final Map<String, Rounded> activations = new HashMap<>();

  private final List<OnnxNode> nodes = new ArrayList<>();

  /** Names of 8-bit elements [K, N] and of their scales [N]. */
  private record Stored(String elements, String scales) {}

  /** Names of unsigned 8-bit elements, their scale and what 0 became. */
  private record Rounded(String elements, String scale, String zero) {}

  private DynamicInt8(OnnxGraph graph) {
    this.graph = graph;
  }

  /**
   * The same model with other linear layers; the one given is left as it is.
   *
   * @param model a model in 32 bits
   * @return the other one
   */
  public static OnnxModel of(OnnxModel model) {
    OnnxModel quantised = model.copy();
    OnnxGraph graph = quantised.graph();
    Weights.settleDefaults(graph);
    new DynamicInt8(graph).replaceLayers();
    ModelCheck.check(quantised);
    return quantised;
  }

  private void replaceLayers() {
    Set<String> before = unused();
    for (OnnxNode node : graph.nodes()) {
      Optional<LinearNode> layer = LinearNode.of(graph, node);
      Optional<Stored> stored = layer.flatMap(this::store);
      if (stored.isPresent()) {
        replace(layer.get(), stored.get());
      } else {
        nodes.add(node);
      }
    }
    graph.nodes().clear();
    graph.nodes().addAll(nodes);
    removeUnused(before);
  }

  /** Empty where the matrix cannot be rounded. */
  private Optional<Stored> store(LinearNode layer) {
    String key = layer.source() + (layer.transposed() ? " transposed " : " ") + layer.factor();
    Stored known = weights.get(key);
    if (known != null) {
      return Optional.of(known);
    }
    return Int8Matrix.of(layer.matrix(), layer.columns(), layer.factor())
        .map(matrix -> {
          String elements = graph.uniqueName(layer.source() + ".int8");
          String scales = graph.uniqueName(layer.source() + ".scale");
          MemorySegment bytes = MemorySegment.ofArray(matrix.elements());
          graph.addInitializer(
              Initializer.of(elements, ElementType.INT8, bytes, layer.rows(), layer.columns()));
          graph.addInitializer(Initializer.floats(scales, matrix.scales(), layer.columns()));
          Stored stored = new Stored(elements, scales);
          weights.put(key, stored);
          return stored;
        });
  }

  /** The nodes in the pattern that runtimes recognise and compute as one. */
  private void replace(LinearNode layer, Stored weight) {
    Rounded x = activations.computeIfAbsent(layer.input(), this::round);
    String output = layer.output();
    String sums =
        add("MatMulInteger", output + ".int32", List.of(x.elements, weight.elements, x.zero));
    String floats = graph.uniqueName(output + ".float");
    OnnxNode cast = new OnnxNode(floats, "Cast", List.of(sums), List.of(floats));
    cast.setAttribute(Attribute.of("to", (long) ElementType.FLOAT.code()));
    nodes.add(cast);
    String scales = add("Mul", output + ".scale", List.of(x.scale, weight.scales));
    Optional<String> bias = layer.bias();
    String scaled = bias.isEmpty() ? output : graph.uniqueName(output + ".scaled");
    nodes.add(new OnnxNode(scaled, "Mul", List.of(floats, scales), List.of(scaled)));
    if (bias.isPresent()) {
      nodes.add(new OnnxNode(output, "Add", List.of(scaled, bias.get()), List.of(output)));
    }
  }

  private Rounded round(String value) {
    Rounded rounded =
        new Rounded(
            graph.uniqueName(value + ".uint8"),
            graph.uniqueName(value + ".uint8.scale"),
            graph.uniqueName(value + ".uint8.zero"));
    List<String> outputs = List.of(rounded.elements, rounded.scale, rounded.zero);
    nodes.add(new OnnxNode(rounded.elements, "DynamicQuantizeLinear", List.of(value), outputs));
    return rounded;
  }

  private String add(String operator, String label, List<String> inputs) {
    String output = graph.uniqueName(label);
    nodes.add(new OnnxNode(output, operator, inputs, List.of(output)));
    return output;
  }

  /** Nodes and constants that nobody uses were there for a reason, if they were there before. */
  private void removeUnused(Set<String> before) {
    Set<String> unused = unused();
    unused.removeAll(before);
    while (!unused.isEmpty()) {
      Set<String> gone = unused;
      before.addAll(gone);
      graph.initializers().keySet().removeAll(gone);
      graph.nodes().removeIf(node -> gone.containsAll(node.outputs()));
      graph.valueInfos().removeIf(info -> gone.contains(info.name()));
      unused = unused();
      unused.removeAll(before);
    }
  }

  /** Names of constants, and outputs of nodes, that no node uses and that do not come out. */
  private Set<String> unused() {
    Set<String> values = new HashSet<>(graph.initializers().keySet());
    graph.nodes().forEach(node -> values.addAll(node.outputs()));
    graph.outputs().forEach(output -> values.remove(output.name()));
    values.removeIf(value -> !graph.usersOf(value).isEmpty());
    return values;
  }
}
