package dev.sidefade.onnx;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Encodes a model. Fields of each message come in ascending order of their numbers, as every
 * protobuf library writes them. Tensors go into {@code outside} if that is given, else all come
 * into the message, wherever they were before.
 */
final class ModelWriter {
  private final @Nullable ExternalDataWriter outside;

  /** {@code outside} is null for a model in one file. */
  ModelWriter(@Nullable ExternalDataWriter outside) {
    this.outside = outside;
  }

  ProtoWriter model(OnnxModel model) {
    ProtoWriter message = new ProtoWriter(model.kept());
    message.varint(1, model.irVersion());
    message.string(2, model.producerOrNull());
    message.message(7, graph(model.graph()));
    for (OpsetImport opset : model.opsetImports()) {
      message.message(8, new ProtoWriter(opset.fields()));
    }
    model.metadataMap().writeTo(message, 14);
    return message;
  }

  private ProtoWriter graph(OnnxGraph graph) {
    ProtoWriter message = new ProtoWriter(graph.kept());
    graph.nodes().forEach(node -> message.message(1, node(node)));
    message.string(2, graph.nameOrNull());
    graph.initializers().values().forEach(tensor -> message.message(5, initializer(tensor)));
    writeInfos(message, 11, graph.inputs());
    writeInfos(message, 12, graph.outputs());
    writeInfos(message, 13, graph.valueInfos());
    return message;
  }

  private static void writeInfos(ProtoWriter message, int number, List<ValueInfo> infos) {
    infos.forEach(info -> message.message(number, new ProtoWriter(info.fields())));
  }

  private ProtoWriter node(OnnxNode node) {
    ProtoWriter message = new ProtoWriter(node.kept());
    node.inputs().forEach(input -> message.string(1, input));
    node.outputs().forEach(output -> message.string(2, output));
    message.string(3, node.nameOrNull());
    message.string(4, node.opTypeOrNull());
    node.attributes().forEach(attribute -> message.message(5, attribute(attribute)));
    message.string(7, node.domainOrNull());
    return message;
  }

  private ProtoWriter attribute(Attribute attribute) {
    ProtoWriter message = new ProtoWriter(attribute.fields());
    switch (attribute.value()) {
      case AttributeValue.OfTensor(Initializer tensor) -> message.message(5, tensor.encode());
      case AttributeValue.OfGraph(OnnxGraph graph) -> message.message(6, graph(graph));
      case AttributeValue.OfTensors(List<Initializer> tensors) ->
          tensors.forEach(tensor -> message.message(10, tensor.encode()));
      case AttributeValue.OfGraphs(List<OnnxGraph> graphs) ->
          graphs.forEach(graph -> message.message(11, graph(graph)));
      default -> {
        // everything is in the fields already
      }
    }
    return message;
  }

  private ProtoWriter initializer(Initializer tensor) {
    return outside != null && ExternalDataWriter.takes(tensor)
        ? outside.add(tensor)
        : tensor.encode();
  }
}
