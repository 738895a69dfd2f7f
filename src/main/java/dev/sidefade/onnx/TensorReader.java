package dev.sidefade.onnx;

import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** Reads tensors ({@code TensorProto}); their elements stay where they are. */
final class TensorReader {
  /** Value of {@code data_location} for data in another file. */
  private static final int EXTERNAL = 1;

  private final ExternalFolder folder;

  TensorReader(ExternalFolder folder) {
    this.folder = folder;
  }

  Initializer tensor(ProtoReader reader) {
    List<RawField> fields = new ArrayList<>();
    ProtoReader all = reader.again();
    while (all.next()) {
      all.keep(fields);
    }
    String name = "";
    long typeCode = 0;
    LongBuffer dims = new LongBuffer();
    MemorySegment raw = null;
    Map<String, String> external = new HashMap<>();
    long location = 0;
    while (reader.next()) {
      switch (reader.field()) {
        case 1 -> reader.integers(dims);
        case 2 -> typeCode = reader.varint();
        case 8 -> name = reader.string();
        case 9 -> raw = reader.bytes();
        case 13 -> entry(reader.message(), external);
        case 14 -> location = reader.varint();
        default -> reader.skip();
      }
    }
    ElementType type = ElementType.ofCode(typeCode);
    type.bytes(Initializer.product(name, dims.toArray()));
    TensorData data;
    if (location == EXTERNAL) {
      data = external(reader, external);
    } else if (raw != null) {
      data = new TensorData.Raw(raw);
      fields = RawField.without(fields, 9);
    } else {
      data = typed(listOf(type), fields);
    }
    return new Initializer(name, type, dims.toArray(), data, fields);
  }

  private static TensorData typed(int list, List<RawField> fields) {
    return new TensorData.Typed(
        list, fields.stream().filter(field -> field.number() == list).toList());
  }

  private TensorData external(ProtoReader reader, Map<String, String> entries) {
    String location = entries.get("location");
    if (location == null) {
      throw reader.error("a tensor with external data but no location stands");
    }
    return new TensorData.External(
        folder,
        location,
        number(reader, entries.getOrDefault("offset", "0")),
        entries.containsKey("length") ? number(reader, entries.get("length")) : -1);
  }

  private static long number(ProtoReader reader, String text) {
    try {
      long number = Long.parseLong(text.strip());
      if (number >= 0) {
        return number;
      }
    } catch (NumberFormatException e) {
      // refused below, as a negative number is
    }
    throw reader.error("external data with an offset or length that is no number stands");
  }

  private static void entry(ProtoReader reader, Map<String, String> into) {
    String key = "";
    String value = "";
    while (reader.next()) {
      switch (reader.field()) {
        case 1 -> key = reader.string();
        case 2 -> value = reader.string();
        default -> reader.skip();
      }
    }
    into.put(key, value);
  }

  /** The typed list that holds elements of the given type where there are no raw bytes. */
  private static int listOf(ElementType type) {
    return switch (type) {
      case FLOAT, COMPLEX64 -> 4;
      case STRING -> 6;
      case INT64 -> 7;
      case DOUBLE, COMPLEX128 -> 10;
      case UINT32, UINT64 -> 11;
      default -> 5;
    };
  }
}
