package dev.sidefade.onnx.gradient;

import dev.sidefade.onnx.Dimension;
import dev.sidefade.onnx.ElementType;
import dev.sidefade.onnx.GraphEdit;
import dev.sidefade.onnx.Initializer;
import dev.sidefade.onnx.OnnxGraph;
import dev.sidefade.onnx.OnnxNode;
import dev.sidefade.onnx.ValueInfo;
import dev.sidefade.tensor.BadInputException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/** What is known of the values of the graph that is differentiated: shapes, types, constants. */
final class ForwardValues {
  private static final Set<ElementType> FLOATS =
      Set.of(ElementType.FLOAT, ElementType.DOUBLE, ElementType.FLOAT16, ElementType.BFLOAT16);

  private final OnnxGraph graph;
  private final Map<String, long[]> shapes = new HashMap<>();
  private final Map<String, ElementType> types;

  /** {@code computed} are shapes of what nodes compute, -1 for a size that is not known. */
  ForwardValues(OnnxGraph graph, Map<String, long[]> computed) {
    this.graph = graph;
    this.types = ElementTypes.of(graph);
    for (List<ValueInfo> infos : List.of(graph.valueInfos(), graph.outputs(), graph.inputs())) {
      infos.stream()
          .filter(ValueInfo::hasShape)
          .forEach(info -> shapes.put(info.name(), declared(info)));
    }
    computed.forEach((value, dims) -> shapes.put(value, dims.clone()));
    for (OnnxNode node : graph.nodes()) {
      if (node.is("Constant")) {
        constant(node.output(0)).ifPresent(it -> shapes.put(node.output(0), it.dims()));
      }
    }
    graph.initializers().forEach((name, constant) -> shapes.put(name, constant.dims()));
  }

  OnnxGraph graph() {
    return graph;
  }

  /** Notes a value that a node of the graph computes from now on. */
  void declare(String value, ElementType type, long[] dims) {
    types.put(value, type);
    shapes.put(value, dims.clone());
  }

  boolean hasDims(String value) {
    return shapes.containsKey(value);
  }

  /** The shape of a value, outermost first, -1 for a size that depends on what is fed. */
  long[] dims(String value) {
    long[] dims = shapes.get(value);
    if (dims == null) {
      throw new BadInputException(
          "the shape of the value "
              + value
              + " is not known, but gradients need its rank; declare it or export the model"
              + " again");
    }
    return dims.clone();
  }

  int rank(String value) {
    return dims(value).length;
  }

  /** {@link ElementType#UNDEFINED} where the type is not known. */
  ElementType type(String value) {
    return types.getOrDefault(value, ElementType.UNDEFINED);
  }

  boolean isFloat(String value) {
    return FLOATS.contains(type(value));
  }

  /** The constant behind a value, directly or through {@code Identity}. */
  Optional<Initializer> constant(String value) {
    return GraphEdit.constantValue(graph, value);
  }

  /** The elements of a constant of integers. */
  Optional<long[]> longs(String value) {
    return constant(value)
        .filter(it -> it.type() == ElementType.INT64 || it.type() == ElementType.INT32)
        .map(Initializer::longs);
  }

  /** All names that values and nodes have, in nested graphs too. */
  Set<String> names() {
    Set<String> names = new HashSet<>();
    List<OnnxGraph> open = new ArrayList<>(List.of(graph));
    while (!open.isEmpty()) {
      OnnxGraph next = open.removeLast();
      names.addAll(next.initializers().keySet());
      names.addAll(next.sparseInitializers());
      next.inputs().forEach(info -> names.add(info.name()));
      next.outputs().forEach(info -> names.add(info.name()));
      for (OnnxNode node : next.nodes()) {
        names.add(node.name());
        names.addAll(node.inputs());
        names.addAll(node.outputs());
        open.addAll(node.subgraphs());
      }
    }
    return names;
  }

  /** Type and shape of a value for a graph that takes or gives it. */
  ValueInfo declaration(String value, String name) {
    long[] dims = dims(value);
    Object[] declared = new Object[dims.length];
    for (int i = 0; i < dims.length; i++) {
      declared[i] =
          dims[i] < 0 ? new Dimension.Unknown() : (Dimension) new Dimension.Static(dims[i]);
    }
    return ValueInfo.of(name, type(value), declared);
  }

  private static long[] declared(ValueInfo info) {
    return info.dims().stream()
        .mapToLong(dim -> dim instanceof Dimension.Static(long size) ? size : -1)
        .toArray();
  }
}
