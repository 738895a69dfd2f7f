package dev.sidefade.export;

import dev.sidefade.backbone.Backbone;
import dev.sidefade.backbone.BackboneStructure;
import dev.sidefade.backbone.Norm;
import dev.sidefade.onnx.GraphEdit;
import dev.sidefade.onnx.OnnxGraph;
import dev.sidefade.onnx.OnnxModel;
import java.util.List;

/** Replaces what stands behind the final norm by another read-out and head. */
final class TailReplacement {
  private TailReplacement() {}

  static void replace(OnnxModel model, Backbone backbone, TunedTail tail) {
    OnnxGraph graph = model.graph();
    BackboneStructure structure = backbone.structure();
    String wanted = Logits.name(graph, structure);
    boolean pooled = FadedModel.poolsFirst(structure);
    String features =
        pooled
            ? structure.readOut().value().orElseThrow()
            : structure.finalNorm().map(Norm::output).orElse(structure.lastTap().value());
    cutBehind(model, List.of(features));
    NodeBuilder nodes = new NodeBuilder(model, "sidefade.tail.");
    String vector =
        pooled ? features : TokenPooling.build(nodes, backbone, tail.pooling(), features);
    long width = tail.headWeight().length / tail.classes();
    String weight = nodes.floats("head.weight", tail.headWeight(), width, tail.classes());
    String bias = nodes.floats("head.bias", tail.headBias(), tail.classes());
    classify(graph, vector, weight, bias, wanted, tail.classes());
  }

  /** Leaves only what computes some values, which become the outputs. */
  static void cutBehind(OnnxModel model, List<String> values) {
    model.graph().outputs().clear();
    GraphEdit.exposeOutputs(model, values);
    GraphEdit.removeDeadNodes(model.graph());
  }

  /** Appends the head, whose logits become the only output. */
  static void classify(
      OnnxGraph graph, String vector, String weight, String bias, String wanted, int classes) {
    graph.outputs().clear();
    String logits = Logits.free(graph, wanted);
    graph.addNode("Gemm", List.of(vector, weight, bias), List.of(logits));
    graph.outputs().add(Logits.declare(graph, logits, classes));
    // what was declared of a value of that name before
    graph.valueInfos().removeIf(info -> info.name().equals(logits));
  }
}
