package dev.sidefade.backbone;

import ai.onnxruntime.NodeInfo;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import ai.onnxruntime.TensorInfo;
import dev.sidefade.onnx.ElementType;
import dev.sidefade.onnx.GraphEdit;
import dev.sidefade.onnx.Initializer;
import dev.sidefade.onnx.OnnxGraph;
import dev.sidefade.onnx.OnnxModel;
import dev.sidefade.onnx.OnnxNode;
import dev.sidefade.tensor.BadInputException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Shapes of all values of a graph, as ONNX Runtime infers them: every value becomes an untyped
 * output of a session that is not optimised, and the session is asked for its outputs. Nothing is
 * run.
 */
public final class ShapeInference {
  /** Constants of more elements can hold no shapes or axes: only how large they are counts. */
  private static final long LARGEST_SHAPE = 256;

  private ShapeInference() {}

  /**
   * {@return the shapes of what the nodes compute; -1 for a dimension that depends on the inputs} A
   * value that is no tensor, or whose rank is not known, is missing.
   *
   * @param model the model
   * @throws BadInputException if ONNX Runtime does not take the model
   */
  public static Map<String, long[]> infer(OnnxModel model) {
    OnnxModel probe = model.copy();
    OnnxGraph graph = probe.graph();
    dropWeights(graph);
    graph.valueInfos().clear();
    GraphEdit.exposeOutputs(probe, values(graph));
    try (OrtSession.SessionOptions options = Sessions.options(1)) {
      options.setOptimizationLevel(OrtSession.SessionOptions.OptLevel.NO_OPT);
      try (OrtSession session = Sessions.open(probe, options)) {
        return shapes(session.getOutputInfo());
      }
    } catch (OrtException e) {
      throw new BadInputException(
          "ONNX Runtime cannot infer the model's shapes: "
              + Sessions.firstLine(e)
              + "; export the model again",
          e);
    }
  }

  private static List<String> values(OnnxGraph graph) {
    List<String> values = new ArrayList<>();
    for (OnnxNode node : graph.nodes()) {
      node.outputs().stream().filter(output -> !output.isEmpty()).forEach(values::add);
    }
    return values;
  }

  /**
   * Weights become inputs, so that a large model need not be copied and read to learn its shapes.
   */
  private static void dropWeights(OnnxGraph graph) {
    for (Initializer constant : List.copyOf(graph.initializers().values())) {
      if (constant.type() == ElementType.FLOAT && constant.size() > LARGEST_SHAPE) {
        GraphEdit.promoteToInput(graph, constant.name());
      }
    }
  }

  private static Map<String, long[]> shapes(Map<String, NodeInfo> infos) {
    Map<String, long[]> shapes = new HashMap<>();
    infos.forEach((name, info) -> {
      if (info.getInfo() instanceof TensorInfo tensor && tensor.getShape() != null) {
        shapes.put(name, tensor.getShape());
      }
    });
    return shapes;
  }
}
