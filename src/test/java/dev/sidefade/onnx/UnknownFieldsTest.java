package dev.sidefade.onnx;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;

/**
 * Fields that this library knows nothing of must come out as they went in, at every level of a
 * model.
 */
class UnknownFieldsTest {
  private static final int UNKNOWN = 900;
  private static final String MARK = "kept!";

  /** For each message of onnx.proto, which of its fields hold which messages. */
  private static final Map<String, Map<Integer, String>> SCHEMA =
      Map.ofEntries(
          Map.entry(
              "Model", Map.of(7, "Graph", 8, "Opset", 14, "Entry", 20, "Training", 25, "Function")),
          Map.entry(
              "Graph",
              Map.of(
                  1,
                  "Node",
                  5,
                  "Tensor",
                  11,
                  "ValueInfo",
                  12,
                  "ValueInfo",
                  13,
                  "ValueInfo",
                  14,
                  "Annotation",
                  15,
                  "Sparse",
                  16,
                  "Entry")),
          Map.entry("Node", Map.of(5, "Attribute", 9, "Entry")),
          Map.entry("Attribute", Map.of(5, "Tensor", 6, "Graph", 14, "Type", 22, "Sparse")),
          Map.entry("Tensor", Map.of(13, "Entry", 16, "Entry")),
          Map.entry("Sparse", Map.of(1, "Tensor", 2, "Tensor")),
          Map.entry("ValueInfo", Map.of(2, "Type", 4, "Entry")),
          Map.entry("Type", Map.of(1, "TensorType", 4, "SequenceType")),
          Map.entry("SequenceType", Map.of(1, "Type")),
          Map.entry("TensorType", Map.of(2, "Shape")),
          Map.entry("Shape", Map.of(1, "Dimension")),
          Map.entry("Function", Map.of(7, "Node", 9, "Opset", 11, "Attribute", 14, "Entry")),
          Map.entry("Annotation", Map.of(2, "Entry")),
          Map.entry("Training", Map.of(1, "Graph", 3, "Entry")),
          Map.entry("Dimension", Map.of()),
          Map.entry("Opset", Map.of()),
          Map.entry("Entry", Map.of()));

  private final Set<String> types = new HashSet<>();
  private int marked;

  @Test
  void unknownFieldsOfEveryMessageSurvive() {
    byte[] bytes = mark("Model", ofEveryMessage().toBytes()).toBytes();
    assertEquals(SCHEMA.keySet(), types);
    assertEquals(marked, marks(bytes));
    assertArrayEquals(bytes, OnnxModel.parse(bytes).toBytes());
    assertArrayEquals(bytes, OnnxModel.parse(bytes).copy().toBytes());
  }

  @Test
  void editedModelKeepsTheUnknownFieldsOfWhatIsLeft() {
    OnnxModel model = OnnxModel.parse(mark("Model", ofEveryMessage().toBytes()).toBytes());
    OnnxGraph graph = model.graph();
    graph.nodes().getFirst().setName("first");
    graph.inputs().replaceAll(input -> input.withName("renamed"));
    GraphEdit.replaceUses(graph, "x", "renamed");
    Initializer weights = graph.initializers().remove("w");
    graph.addInitializer(weights.withName("weights"));
    GraphEdit.replaceUses(graph, "w", "weights");
    model.metadata().put("new", "entry");

    assertEquals(marked, marks(model.toBytes()));
    OnnxModel again = OnnxModel.parse(model.toBytes());
    ModelCheck.check(again);
    assertEquals("entry", again.metadata().get("new"));
  }

  @Test
  void onnxRuntimeTakesTheMarkedModel() throws Exception {
    byte[] plain = TestModels.branching().toBytes();
    byte[] bytes = mark("Model", plain).toBytes();
    TestModels.assertSameOutputs(
        TestModels.run(plain, 3), TestModels.run(OnnxModel.parse(bytes).toBytes(), 3));
  }

  /** A model with a message of every type of {@link #SCHEMA}, in canonical order. */
  private static OnnxModel ofEveryMessage() {
    OnnxGraph graph = new OnnxGraph("main", Set.of("sparse"), graphFields());
    OnnxGraph plain = TestModels.linear().graph();
    graph.inputs().addAll(plain.inputs());
    graph.outputs().addAll(plain.outputs());
    plain.initializers().values().forEach(graph::addInitializer);
    plain.nodes().forEach(node -> graph.nodes().add(node.copy()));
    graph.nodes().add(nodeWithAttributes());
    graph.valueInfos().add(sequence());
    MetadataMap metadata = new MetadataMap();
    metadata.put("task", "a test");
    return new OnnxModel(
        8, "test", graph, List.of(OpsetImport.of("", 17)), metadata, modelFields());
  }

  private static List<RawField> modelFields() {
    ProtoWriter function = new ProtoWriter();
    function.string(1, "f");
    function.string(4, "in");
    function.message(7, new ProtoWriter());
    function.message(9, new ProtoWriter(OpsetImport.of("", 17).fields()));
    function.string(10, "local");
    ProtoWriter training = new ProtoWriter();
    training.message(1, new ProtoWriter());
    training.message(3, MetadataMap.entry("a", "b"));
    ProtoWriter model = new ProtoWriter();
    model.string(6, "documentation");
    model.message(20, training);
    model.message(25, function);
    return model.toFields();
  }

  private static List<RawField> graphFields() {
    ProtoWriter sparse = new ProtoWriter();
    sparse.message(1, Initializer.floats("sparse", new float[] {1}, 1).encode());
    sparse.message(2, Initializer.longs("", new long[] {2}, 1).encode());
    sparse.varint(3, 5);
    ProtoWriter annotation = new ProtoWriter();
    annotation.string(1, "product");
    annotation.message(2, MetadataMap.entry("SCALE_TENSOR", "b"));
    ProtoWriter graph = new ProtoWriter();
    graph.string(10, "what it is");
    graph.message(14, annotation);
    graph.message(15, sparse);
    graph.message(16, MetadataMap.entry("e", "f"));
    return graph.toFields();
  }

  private static OnnxNode nodeWithAttributes() {
    OnnxGraph nested = new OnnxGraph("nested");
    nested.addNode("Relu", List.of("x"), List.of("inner"), Attribute.of("number", 4L));
    nested.outputs().add(ValueInfo.untyped("inner"));
    nested.addInitializer(Initializer.floats("constant", new float[] {1}));
    ProtoWriter fields = new ProtoWriter();
    fields.string(6, "why");
    fields.message(9, MetadataMap.entry("namespace", "a/b"));
    OnnxNode node = new OnnxNode(fields.toFields(), "attributes", "Anything", "");
    node.outputs().add("anything");
    Initializer tensor = Initializer.longs("t", new long[] {1, 2}, 2);
    node.setAttribute(Attribute.tensor("value", tensor));
    node.setAttribute(Attribute.graph("body", nested));
    node.setAttribute(Attribute.strings("texts", "a", "b"));
    ProtoWriter opaque = new ProtoWriter();
    opaque.string(1, "type");
    opaque.message(14, new ProtoWriter());
    opaque.varint(20, 13);
    node.setAttribute(new Attribute("type", new AttributeValue.Opaque(), opaque.toFields()));
    return node;
  }

  /** A value that is a sequence of tensors. */
  private static ValueInfo sequence() {
    ProtoWriter dimension = new ProtoWriter();
    dimension.string(2, "N");
    ProtoWriter shape = new ProtoWriter();
    shape.message(1, dimension);
    ProtoWriter tensor = new ProtoWriter();
    tensor.varint(1, 1);
    tensor.message(2, shape);
    ProtoWriter element = new ProtoWriter();
    element.message(1, tensor);
    ProtoWriter sequence = new ProtoWriter();
    sequence.message(1, element);
    ProtoWriter type = new ProtoWriter();
    type.message(4, sequence);
    ProtoWriter info = new ProtoWriter();
    info.string(1, "some_sequence");
    info.message(2, type);
    info.message(4, MetadataMap.entry("c", "d"));
    return new ValueInfo("some_sequence", ElementType.UNDEFINED, true, null, info.toFields());
  }

  /** The message with an unknown field at its end, and so with every message in it. */
  private ProtoWriter mark(String type, byte[] message) {
    ProtoReader reader = new ProtoReader("test", MemorySegment.ofArray(message));
    List<RawField> fields = new ArrayList<>();
    while (reader.next()) {
      String inner = SCHEMA.get(type).get(reader.field());
      if (inner == null) {
        reader.keep(fields);
      } else {
        int number = reader.field();
        ProtoWriter field = new ProtoWriter();
        field.message(number, mark(inner, reader.bytes().toArray(ValueLayout.JAVA_BYTE)));
        fields.addAll(field.toFields());
      }
    }
    ProtoWriter marked = new ProtoWriter(fields);
    marked.string(UNKNOWN, MARK);
    this.marked++;
    types.add(type);
    return marked;
  }

  private static int marks(byte[] bytes) {
    String text = new String(bytes, StandardCharsets.ISO_8859_1);
    return text.split(MARK, -1).length - 1;
  }
}
