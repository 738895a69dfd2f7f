package dev.sidefade.cuda.ops;

import dev.sidefade.cuda.CudaKernel;
import dev.sidefade.tensor.DType;
import dev.sidefade.tensor.Tensor;
import java.util.EnumMap;
import java.util.Map;

/** A kernel that exists for F32, F16 and BF16 features; each is loaded when first used. */
final class TypedKernel {
  private final Context context;
  private final String file;
  private final String before;
  private final String after;
  private final Map<DType, CudaKernel> loaded = new EnumMap<>(DType.class);

  /** The kernels {@code before + "f32" + after} and so on of {@code file}. */
  TypedKernel(Context context, String file, String before, String after) {
    this.context = context;
    this.file = file;
    this.before = before;
    this.after = after;
  }

  CudaKernel of(DType dtype) {
    CudaKernel kernel = loaded.get(dtype);
    if (kernel == null) {
      kernel = context.kernel(file, before + Checks.suffix(dtype) + after);
      loaded.put(dtype, kernel);
    }
    return kernel;
  }

  /** Elements that a thread moves at once: 16 bytes. */
  static int chunk(DType dtype) {
    return 16 / dtype.bytes();
  }

  /** Address of features as in {@link Checks#features}, but of a type that is given. */
  static long features(String what, Tensor t, DType dtype, long rows, long width) {
    long address = Checks.features(what, t, rows, width);
    if (t.dtype() != dtype) {
      throw new IllegalArgumentException(
          what + " holds " + t.dtype() + ", expected " + dtype + ": the features are of one type");
    }
    return address;
  }
}
