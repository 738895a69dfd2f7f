package dev.sidefade.backbone;

import dev.sidefade.onnx.Dimension;
import dev.sidefade.onnx.ElementType;
import dev.sidefade.onnx.GraphEdit;
import dev.sidefade.onnx.OnnxGraph;
import dev.sidefade.onnx.OnnxModel;
import dev.sidefade.onnx.OnnxNode;
import dev.sidefade.onnx.ValueInfo;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * A backbone's graph with its tuned constants as inputs, cut behind taps and final input.
 *
 * @param model its outputs are {@code outputs}
 * @param structure of the whole backbone; its values have the same names here
 * @param constants what is tuned: inputs of the graph
 * @param outputs selected taps, then what enters the final norm unless that is one of them
 * @param finalValue what enters the final norm
 * @param shapes of all values that nodes compute; -1 where a dimension depends on the input
 */
record TunedGraph(
    OnnxModel model,
    BackboneStructure structure,
    List<TunableConstant> constants,
    List<TrunkOutput> outputs,
    String finalValue,
    Map<String, long[]> shapes) {

  static TunedGraph of(OnnxModel whole, BackboneStructure structure, TunedTrunkSpec spec) {
    OnnxModel model = whole.copy();
    OnnxGraph graph = model.graph();
    // places first: they are found in the whole graph as it was
    ConstantSites sites = new ConstantSites(graph, structure);
    List<TunableConstant> constants = TunableConstants.of(graph, structure, sites, spec.tuning());
    List<String> vectors =
        constants.stream().filter(c -> !c.lowRank()).map(TunableConstant::name).toList();
    TunedConstants.promote(graph, sites, vectors);
    insertLowRank(graph, sites, constants);
    List<TrunkOutput> outputs = TrunkOutput.of(structure, TrunkSpec.of(0, spec.taps()));
    graph.outputs().clear();
    GraphEdit.exposeOutputs(model, outputs.stream().map(TrunkOutput::value).distinct().toList());
    GraphEdit.removeDeadNodes(graph);
    GraphEdit.topologicalSort(graph);
    Map<String, long[]> shapes = ShapeInference.infer(model);
    Set<String> taps = new HashSet<>();
    GraphView view = new GraphView(graph);
    structure.taps().forEach(tap -> taps.add(view.root(tap.value())));
    ShapeProbe.complete(model, structure.inputs(), constants, taps, shapes);
    String last = outputs.get(TrunkOutput.finalInput(structure, outputs)).value();
    return new TunedGraph(model, structure, constants, outputs, last, shapes);
  }

  /** Adds A B to the weights of tuned layers. */
  private static void insertLowRank(
      OnnxGraph graph, ConstantSites sites, List<TunableConstant> constants) {
    Map<String, TunableConstant> byName =
        constants.stream().collect(Collectors.toMap(TunableConstant::name, c -> c));
    for (LinearFinder.Found found : sites.layers()) {
      LinearLayer layer = found.layer();
      TunableConstant in = byName.get(layer.lowRankIn());
      if (in == null) {
        continue;
      }
      long rank = in.shape().dim(1);
      OnnxNode node = found.node();
      graph.addInput(layer.lowRankIn(), ElementType.FLOAT, layer.in(), rank);
      graph.addInput(layer.lowRankOut(), ElementType.FLOAT, rank, layer.out());
      boolean turned = node.is("Gemm") && node.intAttribute("transB").orElse(0) == 1;
      String left = turned ? transposed(graph, layer.lowRankOut()) : layer.lowRankIn();
      String right = turned ? transposed(graph, layer.lowRankIn()) : layer.lowRankOut();
      String change = graph.uniqueName(layer.weightName() + ".change");
      String changed = graph.uniqueName(layer.weightName() + ".changed");
      graph.addNode("MatMul", List.of(left, right), List.of(change));
      graph.addNode("Add", List.of(node.input(1), change), List.of(changed));
      node.inputs().set(1, changed);
    }
  }

  private static String transposed(OnnxGraph graph, String matrix) {
    String name = graph.uniqueName(matrix + ".transposed");
    graph.addNode("Transpose", List.of(matrix), List.of(name));
    return name;
  }

  /** The value behind a tap, without Identity: what the next block may read instead. */
  String tapRoot(int number) {
    return new GraphView(model.graph()).root(structure.taps().get(number).value());
  }

  /** A declaration of a value that a node computes, which makes it fit to be an input. */
  ValueInfo declaration(String value, ElementType type) {
    long[] shape = shapes.get(value);
    if (shape == null) {
      return ValueInfo.untyped(value);
    }
    Object[] dims =
        Arrays.stream(shape)
            .mapToObj(dim -> dim < 0 ? new Dimension.Unknown() : new Dimension.Static(dim))
            .toArray();
    return ValueInfo.of(value, type, dims);
  }
}
