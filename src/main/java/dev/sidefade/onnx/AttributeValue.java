package dev.sidefade.onnx;

import java.util.List;

/** What an attribute holds. */
public sealed interface AttributeValue {
  /**
   * A number.
   *
   * @param value of the attribute
   */
  record OfFloat(float value) implements AttributeValue {}

  /**
   * A whole number.
   *
   * @param value of the attribute
   */
  record OfLong(long value) implements AttributeValue {}

  /**
   * A text; bytes that are not UTF-8 show as replacement characters but survive in the file.
   *
   * @param value of the attribute
   */
  record OfString(String value) implements AttributeValue {}

  /**
   * A tensor.
   *
   * @param value of the attribute
   */
  record OfTensor(Initializer value) implements AttributeValue {}

  /**
   * A nested graph, as in {@code If} and {@code Loop}, which may use values of the graphs around
   * it.
   *
   * @param value of the attribute
   */
  record OfGraph(OnnxGraph value) implements AttributeValue {}

  /**
   * A list of numbers.
   *
   * @param values in order
   */
  record OfFloats(List<Float> values) implements AttributeValue {}

  /**
   * A list of whole numbers.
   *
   * @param values in order
   */
  record OfLongs(List<Long> values) implements AttributeValue {}

  /**
   * A list of texts.
   *
   * @param values in order
   */
  record OfStrings(List<String> values) implements AttributeValue {}

  /**
   * A list of tensors.
   *
   * @param values in order
   */
  record OfTensors(List<Initializer> values) implements AttributeValue {}

  /**
   * A list of nested graphs.
   *
   * @param values in order
   */
  record OfGraphs(List<OnnxGraph> values) implements AttributeValue {}

  /** Kept as bytes only: sparse tensors, types, references to a function's attributes. */
  record Opaque() implements AttributeValue {}
}
