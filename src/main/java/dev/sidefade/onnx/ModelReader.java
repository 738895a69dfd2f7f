package dev.sidefade.onnx;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Reads the messages of a model that can be edited: model, graph, node. Field numbers are those of
 * onnx.proto.
 */
final class ModelReader {
  private final TensorReader tensors;

  ModelReader(ExternalFolder folder) {
    this.tensors = new TensorReader(folder);
  }

  OnnxModel model(ProtoReader reader) {
    long irVersion = 0;
    @Nullable String producer = null;
    @Nullable OnnxGraph graph = null;
    List<OpsetImport> opsets = new ArrayList<>();
    MetadataMap metadata = new MetadataMap();
    List<RawField> kept = new ArrayList<>();
    while (reader.next()) {
      switch (reader.field()) {
        case 1 -> irVersion = reader.varint();
        case 2 -> producer = reader.string();
        case 7 -> {
          if (graph != null) {
            throw reader.error("a second graph stands");
          }
          graph = graph(reader.message());
        }
        case 8 -> opsets.add(opset(reader.message()));
        case 14 -> metadata(reader, metadata);
        default -> reader.keep(kept);
      }
    }
    if (graph == null || irVersion == 0) {
      throw Refusal.of(
          reader.source()
              + " is no ONNX model: it has no "
              + (graph == null ? "graph" : "ir_version")
              + "; take a .onnx file");
    }
    return new OnnxModel(irVersion, producer, graph, opsets, metadata, kept);
  }

  private static OpsetImport opset(ProtoReader reader) {
    String domain = "";
    long version = 0;
    List<RawField> fields = new ArrayList<>();
    ProtoReader all = reader.again();
    while (all.next()) {
      all.keep(fields);
    }
    while (reader.next()) {
      switch (reader.field()) {
        case 1 -> domain = reader.string();
        case 2 -> version = reader.varint();
        default -> reader.skip();
      }
    }
    return new OpsetImport(domain, version, fields);
  }

  private static void metadata(ProtoReader field, MetadataMap into) {
    ProtoReader reader = field.message();
    String key = "";
    String value = "";
    while (reader.next()) {
      switch (reader.field()) {
        case 1 -> key = reader.string();
        case 2 -> value = reader.string();
        default -> reader.skip();
      }
    }
    into.read(key, value, reader.memory());
  }

  OnnxGraph graph(ProtoReader reader) {
    @Nullable String name = null;
    List<OnnxNode> nodes = new ArrayList<>();
    List<Initializer> initializers = new ArrayList<>();
    List<ValueInfo> inputs = new ArrayList<>();
    List<ValueInfo> outputs = new ArrayList<>();
    List<ValueInfo> valueInfos = new ArrayList<>();
    Set<String> names = new HashSet<>();
    Set<String> sparse = new LinkedHashSet<>();
    List<RawField> kept = new ArrayList<>();
    ProtoReader sparseReader = reader.again();
    while (reader.next()) {
      switch (reader.field()) {
        case 1 -> nodes.add(node(reader.message()));
        case 2 -> name = reader.string();
        case 5 -> {
          Initializer initializer = tensors.tensor(reader.message());
          if (!names.add(initializer.name())) {
            throw reader.error("a second initializer " + initializer.name() + " stands");
          }
          initializers.add(initializer);
        }
        case 11 -> inputs.add(ValueInfoReader.valueInfo(reader.message()));
        case 12 -> outputs.add(ValueInfoReader.valueInfo(reader.message()));
        case 13 -> valueInfos.add(ValueInfoReader.valueInfo(reader.message()));
        default -> reader.keep(kept);
      }
    }
    sparseNames(sparseReader, sparse);
    OnnxGraph graph = new OnnxGraph(name, sparse, kept);
    graph.nodes().addAll(nodes);
    initializers.forEach(graph::addInitializer);
    graph.inputs().addAll(inputs);
    graph.outputs().addAll(outputs);
    graph.valueInfos().addAll(valueInfos);
    return graph;
  }

  /** Sparse initializers (15) are kept as bytes; only the names of their values (1) are known. */
  private void sparseNames(ProtoReader graph, Set<String> names) {
    while (graph.next()) {
      if (graph.field() != 15) {
        graph.skip();
        continue;
      }
      ProtoReader sparse = graph.message();
      while (sparse.next()) {
        if (sparse.field() == 1) {
          names.add(tensors.tensor(sparse.message()).name());
        } else {
          sparse.skip();
        }
      }
    }
  }

  private OnnxNode node(ProtoReader reader) {
    List<String> inputs = new ArrayList<>();
    List<String> outputs = new ArrayList<>();
    List<Attribute> attributes = new ArrayList<>();
    List<RawField> kept = new ArrayList<>();
    @Nullable String name = null;
    @Nullable String opType = null;
    @Nullable String domain = null;
    while (reader.next()) {
      switch (reader.field()) {
        case 1 -> inputs.add(reader.string());
        case 2 -> outputs.add(reader.string());
        case 3 -> name = reader.string();
        case 4 -> opType = reader.string();
        case 5 -> attributes.add(new AttributeReader(this, tensors).attribute(reader.message()));
        case 7 -> domain = reader.string();
        default -> reader.keep(kept);
      }
    }
    OnnxNode node = new OnnxNode(kept, name, opType, domain);
    node.inputs().addAll(inputs);
    node.outputs().addAll(outputs);
    for (Attribute attribute : attributes) {
      if (node.attribute(attribute.name()).isPresent()) {
        throw Refusal.of(
            "%s: %s has two attributes %s; export the model again"
                .formatted(reader.source(), node, attribute.name()));
      }
      node.setAttribute(attribute);
    }
    return node;
  }
}
