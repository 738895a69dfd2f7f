package dev.sidefade.kernels;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.fail;

import dev.sidefade.tensor.DType;
import dev.sidefade.tensor.Shape;
import dev.sidefade.tensor.Tensor;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * As {@link Lab}, for features of one type of F32, F16 and BF16: tensors between two margins that
 * no kernel may write, inputs that must come back unchanged.
 */
final class FeatureLab implements AutoCloseable {
  /** Bytes of a NaN of every type. */
  private static final byte SENTINEL = 0x7f;

  private static final int MARGIN = 16;

  private final Device device;
  private final DType dtype;
  private final int lead;
  private final List<Guarded> all = new ArrayList<>();

  /** {@code constant}: bytes that must come back, or null. */
  private record Guarded(Tensor whole, Tensor inner, int lead, byte[] constant) {}

  /** With {@code lead} elements before each tensor of features: odd ones give odd addresses. */
  FeatureLab(Device device, DType dtype, int lead) {
    this.device = device;
    this.dtype = dtype;
    this.lead = lead;
  }

  Kernels kernels() {
    return device.kernels();
  }

  DType dtype() {
    return dtype;
  }

  /** Features that no kernel may change. */
  Tensor in(double[] values, long... dims) {
    return guard(dtype, lead, bytes(dtype, values), true, dims);
  }

  /** Features that a kernel may change. */
  Tensor inOut(double[] values, long... dims) {
    return guard(dtype, lead, bytes(dtype, values), false, dims);
  }

  /** Features that are not a number yet. */
  Tensor out(long... dims) {
    return guard(dtype, lead, unwritten(dtype, dims), false, dims);
  }

  /** An F32 tensor that no kernel may change, of parameters or flags. */
  Tensor inF32(float[] values, long... dims) {
    return guard(DType.F32, MARGIN, bytes(DType.F32, Data.widen(values)), true, dims);
  }

  /** An F32 tensor that is not a number yet. */
  Tensor outF32(long... dims) {
    return guard(DType.F32, MARGIN, unwritten(DType.F32, dims), false, dims);
  }

  double[] read(Tensor tensor) {
    return values(tensor.dtype(), readBytes(tensor));
  }

  byte[] readBytes(Tensor tensor) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment host = arena.allocate(tensor.bytes(), 64);
      device.copy(tensor, Tensor.wrap(host, tensor.shape(), tensor.dtype()));
      return host.toArray(ValueLayout.JAVA_BYTE);
    }
  }

  /** The values as features hold them. */
  double[] rounded(float[] values) {
    return values(dtype, bytes(dtype, Data.widen(values)));
  }

  /**
   * Features within the tolerance of F32 sums (see {@link Close}) of {@code scale}, and half a unit
   * of their own last place, of the expected ones.
   */
  void near(String what, Tensor got, double[] want, long terms, double scale) {
    double[] actual = read(got);
    assertEquals(want.length, actual.length, what + ": number of elements");
    double unit =
        switch (got.dtype()) {
          case F16 -> 0x1p-11;
          case BF16 -> 0x1p-8;
          default -> 0;
        };
    double smallest = got.dtype() == DType.F16 ? 0x1p-25 : 0;
    double inF32 = Close.tolerance(terms) * Math.max(scale, Math.max(1, Data.largest(want)));
    for (int i = 0; i < actual.length; i++) {
      double allowed = inF32 + unit * (Math.abs(want[i]) + inF32) + smallest;
      if (!(Math.abs(actual[i] - want[i]) <= allowed)) {
        fail(what + "[" + i + "] in " + dtype + ": expected " + want[i] + ", got " + actual[i]);
      }
    }
  }

  /** Checks all margins and inputs, and gives the tensors back. */
  void finish() {
    try {
      all.forEach(this::check);
    } finally {
      all.forEach(guarded -> guarded.whole.close());
      all.clear();
    }
  }

  @Override
  public void close() {
    finish();
  }

  private void check(Guarded guarded) {
    byte[] block = readBytes(guarded.whole);
    int from = guarded.lead * guarded.whole.dtype().bytes();
    int end = from + Math.toIntExact(guarded.inner.bytes());
    for (int i = 0; i < block.length; i++) {
      if ((i < from || i >= end) && block[i] != SENTINEL) {
        fail("byte " + (i - from) + ", outside " + guarded.inner + ", was overwritten");
      }
    }
    if (guarded.constant != null) {
      assertArrayEquals(
          guarded.constant, Arrays.copyOfRange(block, from, end), guarded.inner + " was changed");
    }
  }

  private Tensor guard(DType type, int before, byte[] content, boolean constant, long... dims) {
    int elements = before + content.length / type.bytes() + MARGIN;
    byte[] block = new byte[elements * type.bytes()];
    Arrays.fill(block, SENTINEL);
    System.arraycopy(content, 0, block, before * type.bytes(), content.length);
    Tensor whole = device.allocate(type, Shape.of(elements));
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment host = arena.allocate(whole.bytes(), 64);
      host.copyFrom(MemorySegment.ofArray(block));
      device.copy(Tensor.wrap(host, whole.shape(), type), whole);
    }
    Tensor inner = whole.slice(before, dims);
    all.add(new Guarded(whole, inner, before, constant ? content : null));
    return inner;
  }

  private static byte[] unwritten(DType type, long... dims) {
    byte[] bytes = new byte[Math.toIntExact(Shape.of(dims).size() * type.bytes())];
    Arrays.fill(bytes, SENTINEL);
    return bytes;
  }

  private static byte[] bytes(DType type, double[] values) {
    byte[] bytes = new byte[values.length * type.bytes()];
    MemorySegment to = MemorySegment.ofArray(bytes);
    for (int i = 0; i < values.length; i++) {
      float value = (float) values[i];
      switch (type) {
        case F16 -> to.setAtIndex(ValueLayout.JAVA_SHORT_UNALIGNED, i, Float.floatToFloat16(value));
        case BF16 -> to.setAtIndex(ValueLayout.JAVA_SHORT_UNALIGNED, i, brain(value));
        default -> to.setAtIndex(ValueLayout.JAVA_FLOAT_UNALIGNED, i, value);
      }
    }
    return bytes;
  }

  private static double[] values(DType type, byte[] bytes) {
    MemorySegment from = MemorySegment.ofArray(bytes);
    double[] values = new double[bytes.length / type.bytes()];
    for (int i = 0; i < values.length; i++) {
      values[i] =
          switch (type) {
            case F16 -> Float.float16ToFloat(from.getAtIndex(ValueLayout.JAVA_SHORT_UNALIGNED, i));
            case BF16 ->
                Float.intBitsToFloat(from.getAtIndex(ValueLayout.JAVA_SHORT_UNALIGNED, i) << 16);
            default -> from.getAtIndex(ValueLayout.JAVA_FLOAT_UNALIGNED, i);
          };
    }
    return values;
  }

  /** The nearest bfloat16, ties to even; a NaN stays one. */
  private static short brain(float value) {
    int bits = Float.floatToRawIntBits(value);
    if (Float.isNaN(value)) {
      return (short) (bits >>> 16 | 0x40);
    }
    return (short) ((bits + 0x7fff + (bits >>> 16 & 1)) >>> 16);
  }
}
