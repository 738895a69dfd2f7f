package dev.sidefade.kernels;

import dev.sidefade.tensor.Tensor;
import java.util.Arrays;

/** What every backend checks at the door of an operation: shapes, named in the error. */
public final class TensorChecks {
  private TensorChecks() {}

  /**
   * Requires {@code rows} rows of {@code width} elements.
   *
   * @param what what to call it in complaints
   * @param t the tensor
   * @param rows number of rows
   * @param width elements of a row
   * @throws IllegalArgumentException if the shape is another
   */
  public static void matrix(String what, Tensor t, long rows, long width) {
    if (t.shape().rank() < 1 || t.dim(-1) != width || t.size() != rows * width) {
      throw new IllegalArgumentException(
          what + " has shape " + t.shape() + ", expected " + rows + " rows of " + width);
    }
  }

  /**
   * Requires {@code size} elements.
   *
   * @param what what to call it in complaints
   * @param t the tensor
   * @param size number of elements
   * @throws IllegalArgumentException if there are more or fewer
   */
  public static void vector(String what, Tensor t, long size) {
    if (t.size() != size) {
      throw new IllegalArgumentException(
          what + " has shape " + t.shape() + ", expected " + size + " elements");
    }
  }

  /**
   * Requires exactly these dimensions.
   *
   * @param what what to call it in complaints
   * @param t the tensor
   * @param dims dimensions, outermost first
   * @throws IllegalArgumentException if the shape is another
   */
  public static void exact(String what, Tensor t, long... dims) {
    if (!t.shape().is(dims)) {
      throw new IllegalArgumentException(
          what + " has shape " + t.shape() + ", expected " + Arrays.toString(dims));
    }
  }

  /**
   * {@return number of rows as an {@code int}: tasks and row numbers are counted with it}
   *
   * @param t the tensor
   */
  public static int rows(Tensor t) {
    return Math.toIntExact(t.shape().rows());
  }

  /**
   * {@return innermost dimension as an {@code int}}
   *
   * @param t the tensor
   */
  public static int width(Tensor t) {
    return Math.toIntExact(t.dim(-1));
  }
}
