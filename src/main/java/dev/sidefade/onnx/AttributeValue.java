package dev.sidefade.onnx;

import java.util.List;

/** What an attribute holds. */
public sealed interface AttributeValue {
  record OfFloat(float value) implements AttributeValue {}

  record OfLong(long value) implements AttributeValue {}

  /** A text; bytes that are not UTF-8 show as replacement characters but survive in the file. */
  record OfString(String value) implements AttributeValue {}

  record OfTensor(Initializer value) implements AttributeValue {}

  /**
   * A nested graph, as in {@code If} and {@code Loop}, which may use values of the graphs around
   * it.
   */
  record OfGraph(OnnxGraph value) implements AttributeValue {}

  record OfFloats(List<Float> values) implements AttributeValue {}

  record OfLongs(List<Long> values) implements AttributeValue {}

  record OfStrings(List<String> values) implements AttributeValue {}

  record OfTensors(List<Initializer> values) implements AttributeValue {}

  record OfGraphs(List<OnnxGraph> values) implements AttributeValue {}

  /** Kept as bytes only: sparse tensors, types, references to a function's attributes. */
  record Opaque() implements AttributeValue {}
}
