package dev.sidefade.onnx;

import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/** Finds the constants behind values. */
final class Constants {
  private Constants() {}

  static String resolveIdentity(OnnxGraph graph, String value) {
    Set<String> seen = new HashSet<>();
    String source = value;
    // a circle of Identity nodes, which no valid model has, must not hang
    while (seen.add(source)) {
      Optional<OnnxNode> producer = graph.producerOf(source);
      if (producer.isEmpty() || !producer.get().is("Identity")) {
        return source;
      }
      source = producer.get().input(0);
    }
    return value;
  }

  static Optional<Initializer> constantValue(OnnxGraph graph, String value) {
    String source = resolveIdentity(graph, value);
    Initializer initializer = graph.initializers().get(source);
    if (initializer != null) {
      return Optional.of(named(initializer, value));
    }
    return graph
        .producerOf(source)
        .filter(node -> node.is("Constant"))
        .flatMap(node -> node.attributes().stream().findFirst())
        .map(Attribute::value)
        .flatMap(constant -> asTensor(value, constant));
  }

  private static Initializer named(Initializer tensor, String name) {
    return tensor.name().equals(name) ? tensor : tensor.withName(name);
  }

  private static Optional<Initializer> asTensor(String name, AttributeValue constant) {
    return switch (constant) {
      case AttributeValue.OfTensor(Initializer tensor) -> Optional.of(named(tensor, name));
      case AttributeValue.OfFloat(float value) ->
          Optional.of(Initializer.floats(name, new float[] {value}));
      case AttributeValue.OfLong(long value) ->
          Optional.of(Initializer.longs(name, new long[] {value}));
      case AttributeValue.OfFloats(List<Float> values) -> {
        float[] floats = new float[values.size()];
        for (int i = 0; i < floats.length; i++) {
          floats[i] = values.get(i);
        }
        yield Optional.of(Initializer.floats(name, floats, floats.length));
      }
      case AttributeValue.OfLongs(List<Long> values) -> {
        long[] longs = values.stream().mapToLong(Long::longValue).toArray();
        yield Optional.of(Initializer.longs(name, longs, longs.length));
      }
      default -> Optional.empty();
    };
  }
}
