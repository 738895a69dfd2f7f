package dev.sidefade.onnx;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Reads declarations of values: {@code ValueInfoProto}, {@code TypeProto}, {@code
 * TensorShapeProto}.
 */
final class ValueInfoReader {
  /** A tensor's type; {@code dims} is null where no shape is declared. */
  private record TensorType(ElementType type, @Nullable List<Dimension> dims) {}

  private static final TensorType NO_TENSOR = new TensorType(ElementType.UNDEFINED, null);

  private ValueInfoReader() {}

  static ValueInfo valueInfo(ProtoReader reader) {
    List<RawField> fields = new ArrayList<>();
    ProtoReader all = reader.again();
    while (all.next()) {
      all.keep(fields);
    }
    String name = "";
    boolean typed = false;
    TensorType tensor = NO_TENSOR;
    while (reader.next()) {
      switch (reader.field()) {
        case 1 -> name = reader.string();
        case 2 -> {
          ProtoReader type = reader.message();
          while (type.next()) {
            typed |= type.field() != 6;
            if (type.field() == 1) {
              tensor = tensorType(type.message());
            } else {
              type.skip();
            }
          }
        }
        default -> reader.skip();
      }
    }
    return new ValueInfo(name, tensor.type(), typed, tensor.dims(), fields);
  }

  private static TensorType tensorType(ProtoReader reader) {
    ElementType type = ElementType.UNDEFINED;
    @Nullable List<Dimension> dims = null;
    while (reader.next()) {
      switch (reader.field()) {
        case 1 -> type = ElementType.ofCode(reader.varint());
        case 2 -> dims = dims(reader.message());
        default -> reader.skip();
      }
    }
    return new TensorType(type, dims);
  }

  private static List<Dimension> dims(ProtoReader shape) {
    List<Dimension> dims = new ArrayList<>();
    while (shape.next()) {
      if (shape.field() == 1) {
        dims.add(dimension(shape.message()));
      } else {
        shape.skip();
      }
    }
    return dims;
  }

  private static Dimension dimension(ProtoReader reader) {
    Dimension dimension = new Dimension.Unknown();
    while (reader.next()) {
      switch (reader.field()) {
        case 1 -> dimension = new Dimension.Static(reader.varint());
        case 2 -> {
          String symbol = reader.string();
          dimension = symbol.isEmpty() ? new Dimension.Unknown() : new Dimension.Symbolic(symbol);
        }
        default -> reader.skip();
      }
    }
    return dimension;
  }
}
