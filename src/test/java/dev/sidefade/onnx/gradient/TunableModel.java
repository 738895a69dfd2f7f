package dev.sidefade.onnx.gradient;

import dev.sidefade.backbone.BackboneStructure;
import dev.sidefade.backbone.KnownShapes;
import dev.sidefade.backbone.Norm;
import dev.sidefade.backbone.StructureFinder;
import dev.sidefade.onnx.ElementType;
import dev.sidefade.onnx.GraphEdit;
import dev.sidefade.onnx.Initializer;
import dev.sidefade.onnx.OnnxGraph;
import dev.sidefade.onnx.OnnxModel;
import dev.sidefade.onnx.OnnxNode;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * A backbone cut at what enters its final norm, with the constants of all norms and linear layers
 * before it as inputs: {@code norm.I.scale}, {@code norm.I.bias}, {@code linear.I.weight}, {@code
 * linear.I.bias}, counted in the order of execution.
 */
final class TunableModel {
  private final OnnxModel model;
  private final OnnxGraph graph;
  private final BackboneStructure structure;
  private final Map<String, Initializer> constants = new LinkedHashMap<>();
  private final Set<String> transposed = new LinkedHashSet<>();

  TunableModel(OnnxModel original) {
    model = original.copy();
    graph = model.graph();
    structure = StructureFinder.find(model);
    graph.outputs().clear();
    GraphEdit.exposeOutputs(model, List.of(finalInput()));
    GraphEdit.removeDeadNodes(graph);
    structure.norms().forEach(this::addNorm);
    addLinears();
  }

  OnnxModel model() {
    return model;
  }

  BackboneStructure structure() {
    return structure;
  }

  /** What enters the final norm, the only output. */
  String finalInput() {
    return structure.finalNorm().map(Norm::input).orElseGet(() -> structure.lastTap().value());
  }

  /** The constants that became inputs, with their values. */
  Map<String, Initializer> constants() {
    return constants;
  }

  /** Shapes of all values, -1 where they depend on the inputs. */
  Map<String, long[]> shapes() {
    return KnownShapes.of(model, structure, constants.values());
  }

  /** Whether a weight is stored as [out, in]. */
  boolean transposed(String weight) {
    return transposed.contains(weight);
  }

  private void addNorm(Norm norm) {
    Optional<OnnxNode> last = graph.producerOf(norm.output());
    if (last.isEmpty()) {
      return;
    }
    String name = "norm." + norm.position();
    if (norm.form() == Norm.Form.OPERATOR) {
      own(last.get(), 1, name + ".scale");
      own(last.get(), 2, name + ".bias");
      return;
    }
    int bias = constantIndex(last.get(), 1);
    String scaled = GraphEdit.resolveIdentity(graph, last.get().input(1 - bias));
    OnnxNode mul = graph.producerOf(scaled).orElseThrow();
    own(mul, constantIndex(mul, 1), name + ".scale");
    own(last.get(), bias, name + ".bias");
  }

  private void addLinears() {
    int number = 0;
    for (OnnxNode node : List.copyOf(graph.nodes())) {
      boolean product = node.is("MatMul") || node.is("Gemm");
      if (product && constant(node, 1, 2).isPresent()) {
        addLinear(node, "linear." + number);
        number++;
      }
    }
  }

  private void addLinear(OnnxNode node, String name) {
    own(node, 1, name + ".weight");
    if (node.intAttribute("transB").orElse(0) == 1) {
      transposed.add(name + ".weight");
    }
    if (node.is("Gemm")) {
      own(node, 2, name + ".bias");
      return;
    }
    List<OnnxNode> users = graph.usersOf(node.output(0));
    if (users.size() == 1 && users.getFirst().is("Add")) {
      own(users.getFirst(), constantIndex(users.getFirst(), 1), name + ".bias");
    }
  }

  /** Exporters let equal constants share an initializer: every place gets one of its own. */
  private void own(OnnxNode user, int index, String name) {
    Initializer constant = GraphEdit.constantValue(graph, user.input(index)).orElseThrow();
    constants.put(name, constant.withName(name));
    graph.addInitializer(constant.withName(name));
    user.inputs().set(index, name);
    GraphEdit.promoteToInput(graph, name);
  }

  private int constantIndex(OnnxNode node, int rank) {
    return constant(node, 1, rank).isPresent() ? 1 : 0;
  }

  private Optional<Initializer> constant(OnnxNode node, int index, int rank) {
    return GraphEdit.constantValue(graph, node.input(index))
        .filter(c -> c.type() == ElementType.FLOAT && c.dims().length == rank);
  }
}
