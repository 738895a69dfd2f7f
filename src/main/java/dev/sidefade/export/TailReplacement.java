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
    Logits logits = new Logits(wanted, tail.pooling(), tail.classes());
    logits.append(nodes, vector, weight, bias);
  }

  /** Leaves only what computes some values, which become the outputs. */
  static void cutBehind(OnnxModel model, List<String> values) {
    model.graph().outputs().clear();
    GraphEdit.exposeOutputs(model, values);
    GraphEdit.removeDeadNodes(model.graph());
  }
}
