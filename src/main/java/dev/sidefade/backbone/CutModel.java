package dev.sidefade.backbone;

import dev.sidefade.onnx.GraphEdit;
import dev.sidefade.onnx.Initializer;
import dev.sidefade.onnx.OnnxGraph;
import dev.sidefade.onnx.OnnxModel;
import dev.sidefade.tensor.BadInputException;
import dev.sidefade.tensor.Shape;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * A copy of a backbone, cut behind what is asked for.
 *
 * @param outputs the selected taps, then what enters the final norm (the last tap where there is no
 *     final norm) unless that is a selected tap, then the logits if asked for
 * @param inputs the backbone's own
 * @param constants further inputs, with their present values
 * @param finalInput which output is what enters the final norm
 */
record CutModel(
    OnnxModel model,
    List<TrunkOutput> outputs,
    List<InputSpec> inputs,
    Map<String, Initializer> constants,
    int finalInput) {

  /**
   * Cuts a copy; the model is left as it is.
   *
   * @throws BadInputException if a tap or constant does not exist or does nothing, or logits are
   *     asked of a model without head
   */
  static CutModel of(OnnxModel whole, BackboneStructure structure, TrunkSpec spec) {
    OnnxModel cut = whole.copy();
    OnnxGraph graph = cut.graph();
    List<TrunkOutput> outputs = TrunkOutput.of(structure, spec);
    // constants first: norms and head are found by their place in the whole graph
    Map<String, Initializer> constants = TunedConstants.promote(graph, structure, spec.inputs());
    graph.outputs().clear();
    GraphEdit.exposeOutputs(cut, outputs.stream().map(TrunkOutput::value).distinct().toList());
    GraphEdit.removeDeadNodes(graph);
    for (String constant : spec.inputs()) {
      if (graph.usersOf(constant).isEmpty()) {
        throw new BadInputException(
            "the constant "
                + constant
                + " does not influence what the trunk computes; do not tune it, or ask"
                + " for an output behind it");
      }
    }
    int finalInput = TrunkOutput.finalInput(structure, outputs);
    return new CutModel(cut, outputs, structure.inputs(), constants, finalInput);
  }

  /** Shapes of the constants. */
  Map<String, Shape> constantShapes() {
    Map<String, Shape> shapes = new LinkedHashMap<>();
    constants.forEach((name, constant) -> shapes.put(name, Shape.of(constant.dims())));
    return shapes;
  }
}
