package dev.sidefade.tensor;

import java.util.Arrays;
import java.util.stream.Collectors;

/**
 * Dimensions of a dense row-major tensor. Immutable; the number of elements fits a {@code long}.
 */
public final class Shape {
  private final long[] dims;
  private final long size;

  private Shape(long[] dims) {
    long product = 1;
    for (long d : dims) {
      if (d < 0) {
        throw new IllegalArgumentException(
            "shape " + Arrays.toString(dims) + " has a negative dimension");
      }
      product = Math.multiplyExact(product, d);
    }
    this.dims = dims;
    this.size = product;
  }

  /**
   * {@return a shape of the given dimensions, outermost first}
   *
   * @param dims dimensions, outermost first
   * @throws IllegalArgumentException if a dimension is negative
   * @throws ArithmeticException if the number of elements does not fit a {@code long}
   */
  public static Shape of(long... dims) {
    return new Shape(dims.clone());
  }

  /** {@return number of dimensions} */
  public int rank() {
    return dims.length;
  }

  /**
   * {@return dimension {@code i}; negative {@code i} counts from the end, -1 being the innermost}
   *
   * @param i from 0; negative counts from the end
   */
  public long dim(int i) {
    return dims[i < 0 ? dims.length + i : i];
  }

  /** {@return number of elements; 1 for a scalar} */
  public long size() {
    return size;
  }

  /**
   * {@return product of all dimensions but the innermost: the number of rows of a row-wise
   * operation}
   */
  public long rows() {
    return dims.length == 0 ? 1 : dims[dims.length - 1] == 0 ? 0 : size / dims[dims.length - 1];
  }

  /**
   * {@return whether these are the dimensions}
   *
   * @param other outermost first
   */
  public boolean is(long... other) {
    return Arrays.equals(dims, other);
  }

  /** {@return a copy of the dimensions} */
  public long[] toArray() {
    return dims.clone();
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof Shape s && Arrays.equals(dims, s.dims);
  }

  @Override
  public int hashCode() {
    return Arrays.hashCode(dims);
  }

  @Override
  public String toString() {
    return Arrays.stream(dims).mapToObj(Long::toString).collect(Collectors.joining(", ", "[", "]"));
  }
}
