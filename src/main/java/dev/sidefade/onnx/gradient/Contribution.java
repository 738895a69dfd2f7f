package dev.sidefade.onnx.gradient;

/** One summand of a value's gradient, as one use of the value gives it. */
sealed interface Contribution {
  /** Name of the value that holds the summand. */
  String name();

  /** A summand of the value's own shape. */
  record Full(String name) implements Contribution {}

  /** A summand of the value's rank that broadcasts to its shape. */
  record Spread(String name) implements Contribution {}

  /**
   * A summand that is zero but for the elements from {@code start} up to {@code start + size} along
   * one axis, which are given. The value's size along that axis is known.
   */
  record Piece(String name, int axis, long start, long size) implements Contribution {}
}
