package dev.sidefade.onnx;

/** One dimension of a value's declared shape. */
public sealed interface Dimension {
  /**
   * A size that is known.
   *
   * @param size not negative
   */
  record Static(long size) implements Dimension {}

  /**
   * A size that is the same wherever the name occurs, such as {@code batch}.
   *
   * @param name of the dimension
   */
  record Symbolic(String name) implements Dimension {}

  /** A size of which nothing is known. */
  record Unknown() implements Dimension {}

  /**
   * {@return a {@link Static} dimension of a {@link Number}, a {@link Symbolic} of a {@link
   * String}}
   *
   * @param value a number or a text
   */
  static Dimension of(Object value) {
    return switch (value) {
      case Dimension dimension -> dimension;
      case Long size -> new Static(size);
      case Integer size -> new Static(size);
      case String name -> new Symbolic(name);
      default ->
          throw new IllegalArgumentException(
              "a dimension must be a Long, a String or a Dimension, not " + value);
    };
  }
}
