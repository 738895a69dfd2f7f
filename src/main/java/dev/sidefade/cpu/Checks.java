package dev.sidefade.cpu;

import dev.sidefade.kernels.TensorChecks;
import dev.sidefade.tensor.DType;
import dev.sidefade.tensor.Tensor;

/** What is checked at the door of an operation. */
final class Checks {
  private Checks() {}

  /** Address of an F32 host tensor that has {@code rows} rows of {@code width} elements. */
  static long matrix(String what, Tensor t, long rows, long width) {
    TensorChecks.matrix(what, t, rows, width);
    return address(what, t);
  }

  /** Address of an F32 host tensor of {@code size} elements. */
  static long vector(String what, Tensor t, long size) {
    TensorChecks.vector(what, t, size);
    return address(what, t);
  }

  /** As {@link #vector}, or 0 for null. */
  static long vectorOrNull(String what, Tensor t, long size) {
    return t == null ? 0 : vector(what, t, size);
  }

  /** Address of an F32 host tensor of exactly these dimensions. */
  static long exact(String what, Tensor t, long... dims) {
    TensorChecks.exact(what, t, dims);
    return address(what, t);
  }

  /** Number of rows as an {@code int}: tasks and row numbers are counted with it. */
  static int rows(Tensor t) {
    return TensorChecks.rows(t);
  }

  /** Innermost dimension as an {@code int}. */
  static int width(Tensor t) {
    return TensorChecks.width(t);
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
