package dev.sidefade.cpu;

import dev.sidefade.tensor.DType;
import dev.sidefade.tensor.Tensor;
import java.util.Arrays;

/** What is checked at the door of an operation. */
final class Checks {
  private Checks() {}

  /** Address of an F32 host tensor that has {@code rows} rows of {@code width} elements. */
  static long matrix(String what, Tensor t, long rows, long width) {
    if (t.shape().rank() < 1 || t.dim(-1) != width || t.size() != rows * width) {
      throw new IllegalArgumentException(
          what + " has shape " + t.shape() + ", expected " + rows + " rows of " + width);
    }
    return address(what, t);
  }

  /** Address of an F32 host tensor of {@code size} elements. */
  static long vector(String what, Tensor t, long size) {
    if (t.size() != size) {
      throw new IllegalArgumentException(
          what + " has shape " + t.shape() + ", expected " + size + " elements");
    }
    return address(what, t);
  }

  /** As {@link #vector}, or 0 for null. */
  static long vectorOrNull(String what, Tensor t, long size) {
    return t == null ? 0 : vector(what, t, size);
  }

  /** Address of an F32 host tensor of exactly these dimensions. */
  static long exact(String what, Tensor t, long... dims) {
    if (!Arrays.equals(t.shape().toArray(), dims)) {
      throw new IllegalArgumentException(
          what + " has shape " + t.shape() + ", expected " + Arrays.toString(dims));
    }
    return address(what, t);
  }

  /** Number of rows as an {@code int}: tasks and row numbers are counted with it. */
  static int rows(Tensor t) {
    return Math.toIntExact(t.shape().rows());
  }

  /** Innermost dimension as an {@code int}. */
  static int width(Tensor t) {
    return Math.toIntExact(t.dim(-1));
  }

  static long address(String what, Tensor t) {
    if (t.dtype() != DType.F32) {
      throw new IllegalArgumentException(
          what + " holds " + t.dtype() + ": the CPU computes in F32, convert it first");
    }
    if (!t.onHost()) {
      throw new IllegalArgumentException(what + " lives on a device: copy it to the host first");
    }
    return t.address();
  }
}
