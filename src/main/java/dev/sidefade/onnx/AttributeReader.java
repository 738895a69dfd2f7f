package dev.sidefade.onnx;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * Reads attributes ({@code AttributeProto}). All fields are kept as they are encoded, but for
 * tensors and graphs, which are encoded anew because they can change (graphs) or move (external
 * data).
 */
final class AttributeReader {
  private final ModelReader models;
  private final TensorReader tensorReader;
  private final List<RawField> kept = new ArrayList<>();
  private final LongBuffer integers = new LongBuffer();
  private final LongBuffer floats = new LongBuffer();
  private final List<String> texts = new ArrayList<>();
  private final List<Initializer> tensors = new ArrayList<>();
  private final List<OnnxGraph> graphs = new ArrayList<>();
  private String name = "";
  private float number;
  private long integer;
  private String text = "";

  AttributeReader(ModelReader models, TensorReader tensorReader) {
    this.models = models;
    this.tensorReader = tensorReader;
  }

  Attribute attribute(ProtoReader reader) {
    int type = type(reader.again());
    ProtoReader keeper = reader.again();
    while (keeper.next()) {
      if (keeper.field() == valueField(type) && isEncodedAnew(type)) {
        keeper.skip();
      } else {
        keeper.keep(kept);
      }
    }
    while (reader.next()) {
      if (reader.field() == 1) {
        name = reader.string();
      } else if (reader.field() == valueField(type)) {
        value(reader, type);
      } else {
        reader.skip();
      }
    }
    return new Attribute(name, complete(reader, type), kept);
  }

  private void value(ProtoReader reader, int type) {
    switch (type) {
      case Attribute.FLOAT -> number = reader.float32();
      case Attribute.INT -> integer = reader.varint();
      case Attribute.STRING -> text = text(reader.bytes());
      case Attribute.FLOATS -> reader.floats(floats);
      case Attribute.INTS -> reader.integers(integers);
      case Attribute.STRINGS -> texts.add(text(reader.bytes()));
      case Attribute.TENSOR, Attribute.TENSORS ->
          tensors.add(tensorReader.tensor(reader.message()));
      case Attribute.GRAPH, Attribute.GRAPHS -> graphs.add(models.graph(reader.message()));
      default -> reader.skip();
    }
  }

  private AttributeValue complete(ProtoReader reader, int type) {
    return switch (type) {
      case Attribute.FLOAT -> new AttributeValue.OfFloat(number);
      case Attribute.INT -> new AttributeValue.OfLong(integer);
      case Attribute.STRING -> new AttributeValue.OfString(text);
      case Attribute.FLOATS -> new AttributeValue.OfFloats(floatList());
      case Attribute.INTS ->
          new AttributeValue.OfLongs(Arrays.stream(integers.toArray()).boxed().toList());
      case Attribute.STRINGS -> new AttributeValue.OfStrings(List.copyOf(texts));
      case Attribute.TENSOR -> new AttributeValue.OfTensor(only(reader, tensors));
      case Attribute.TENSORS -> new AttributeValue.OfTensors(List.copyOf(tensors));
      case Attribute.GRAPH -> new AttributeValue.OfGraph(only(reader, graphs));
      case Attribute.GRAPHS -> new AttributeValue.OfGraphs(List.copyOf(graphs));
      default -> new AttributeValue.Opaque();
    };
  }

  private List<Float> floatList() {
    List<Float> values = new ArrayList<>();
    for (int i = 0; i < floats.size(); i++) {
      values.add(Float.intBitsToFloat((int) floats.get(i)));
    }
    return List.copyOf(values);
  }

  private <T> T only(ProtoReader reader, List<T> values) {
    if (values.size() != 1) {
      throw reader.error(
          "an attribute " + name + " with " + values.size() + " values instead of one ends");
    }
    return values.getFirst();
  }

  /**
   * The type that the attribute says it has (20), or in very old files the only one that has a
   * value. A reference to an attribute of a function (21) has none.
   */
  private static int type(ProtoReader reader) {
    int said = 0;
    int found = 0;
    while (reader.next()) {
      switch (reader.field()) {
        case 20 -> said = (int) reader.varint();
        case 21 -> {
          return 0;
        }
        default -> {
          for (int type = Attribute.FLOAT; type <= Attribute.GRAPHS; type++) {
            found = reader.field() == valueField(type) ? type : found;
          }
          reader.skip();
        }
      }
    }
    return said == 0 ? found : said;
  }

  /**
   * Number of the field that holds the value of an attribute of the given type; 0 for opaque ones.
   */
  static int valueField(int type) {
    return switch (type) {
      case Attribute.FLOAT -> 2;
      case Attribute.INT -> 3;
      case Attribute.STRING -> 4;
      case Attribute.TENSOR -> 5;
      case Attribute.GRAPH -> 6;
      case Attribute.FLOATS -> 7;
      case Attribute.INTS -> 8;
      case Attribute.STRINGS -> 9;
      case Attribute.TENSORS -> 10;
      case Attribute.GRAPHS -> 11;
      default -> 0;
    };
  }

  private static boolean isEncodedAnew(int type) {
    return type == Attribute.TENSOR
        || type == Attribute.TENSORS
        || type == Attribute.GRAPH
        || type == Attribute.GRAPHS;
  }

  private static String text(MemorySegment bytes) {
    return new String(bytes.toArray(ValueLayout.JAVA_BYTE), StandardCharsets.UTF_8);
  }
}
