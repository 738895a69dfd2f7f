package dev.sidefade.cuda.ops;

import dev.sidefade.kernels.TensorChecks;
import dev.sidefade.tensor.DType;
import dev.sidefade.tensor.Tensor;

/** What is checked at the door of an operation; the same names as on the CPU. */
final class Checks {
  private Checks() {}

  /** Address of an F32 device tensor that has {@code rows} rows of {@code width} elements. */
  static long matrix(String what, Tensor t, long rows, long width) {
    TensorChecks.matrix(what, t, rows, width);
    return address(what, t);
  }

  /** Address of an F32 device tensor of {@code size} elements. */
  static long vector(String what, Tensor t, long size) {
    TensorChecks.vector(what, t, size);
    return address(what, t);
  }

  /** As {@link #vector}, or 0 for null. */
  static long vectorOrNull(String what, Tensor t, long size) {
    return t == null ? 0 : vector(what, t, size);
  }

  /** Address of an F32 device tensor of exactly these dimensions. */
  static long exact(String what, Tensor t, long... dims) {
    TensorChecks.exact(what, t, dims);
    return address(what, t);
  }

  /**
   * Address of an F32, F16 or BF16 device tensor of {@code rows} rows of {@code width} elements.
   */
  static long features(String what, Tensor t, long rows, long width) {
    TensorChecks.matrix(what, t, rows, width);
    if (t.dtype() == DType.I64 || t.dtype() == DType.I32) {
      throw new IllegalArgumentException(
          what + " holds " + t.dtype() + ", expected F32, F16 or BF16: convert it first");
    }
    return onDevice(what, t);
  }

  /** Suffix of the kernels for a type of features: "f32", "f16", "bf16". */
  static String suffix(DType dtype) {
    return switch (dtype) {
      case F32 -> "f32";
      case F16 -> "f16";
      case BF16 -> "bf16";
      case I64, I32 -> throw new IllegalArgumentException("there are no kernels for " + dtype);
    };
  }

  /** Number of rows as an {@code int}. */
  static int rows(Tensor t) {
    return TensorChecks.rows(t);
  }

  /** Innermost dimension as an {@code int}. */
  static int width(Tensor t) {
    return TensorChecks.width(t);
  }

  /** Address of an F32 device tensor of any shape. */
  static long address(String what, Tensor t) {
    if (t.dtype() != DType.F32) {
      throw new IllegalArgumentException(
          what + " holds " + t.dtype() + ", expected F32: convert it first");
    }
    return onDevice(what, t);
  }

  private static long onDevice(String what, Tensor t) {
    if (t.onHost()) {
      throw new IllegalArgumentException(what + " lives on the host: copy it to the device first");
    }
    return t.address();
  }
}
