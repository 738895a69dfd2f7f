package dev.sidefade.kernels;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;

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
 * Constant tensors of F16 or BF16 for one test on one device, each between two margins of NaN.
 * Closing checks that neither they nor their margins were changed.
 */
final class HalfTensors implements AutoCloseable {
  /** NaN of both types. */
  private static final short NAN = (short) 0x7fff;

  private static final int MARGIN = 16;

  private final Device device;
  private final List<Tensor> wholes = new ArrayList<>();
  private final List<short[]> contents = new ArrayList<>();

  HalfTensors(Device device) {
    this.device = device;
  }

  /** The value of the type that is nearest to {@code value}; NaN stays NaN. */
  static float round(DType dtype, float value) {
    return widen(dtype, bits(dtype, value));
  }

  static float[] round(DType dtype, float[] values) {
    float[] rounded = values.clone();
    for (int i = 0; i < rounded.length; i++) {
      rounded[i] = round(dtype, rounded[i]);
    }
    return rounded;
  }

  private static short bits(DType dtype, float value) {
    if (dtype == DType.F16) {
      return Float.floatToFloat16(value);
    }
    if (Float.isNaN(value)) {
      return NAN;
    }
    int bits = Float.floatToRawIntBits(value);
    // to nearest, ties to even
    return (short) ((bits + 0x7fff + (bits >>> 16 & 1)) >>> 16);
  }

  private static float widen(DType dtype, short bits) {
    return dtype == DType.F16 ? Float.float16ToFloat(bits) : Float.intBitsToFloat(bits << 16);
  }

  /**
   * The values rounded to the type, behind {@code lead} elements: other than multiples of 8 give
   * tensors whose rows cannot be read in pieces of 16 bytes.
   */
  Tensor in(DType dtype, float[] values, int lead, long... dims) {
    short[] block = new short[lead + values.length + MARGIN];
    Arrays.fill(block, NAN);
    for (int i = 0; i < values.length; i++) {
      block[lead + i] = bits(dtype, values[i]);
    }
    Tensor whole = device.allocate(dtype, Shape.of(block.length));
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment host = arena.allocate(whole.bytes(), 64);
      MemorySegment.copy(block, 0, host, ValueLayout.JAVA_SHORT, 0, block.length);
      device.copy(Tensor.wrap(host, whole.shape(), dtype), whole);
    }
    wholes.add(whole);
    contents.add(block);
    return whole.slice(lead, dims);
  }

  @Override
  public void close() {
    for (int i = 0; i < wholes.size(); i++) {
      Tensor whole = wholes.get(i);
      try (Arena arena = Arena.ofConfined()) {
        MemorySegment host = arena.allocate(whole.bytes(), 64);
        device.copy(whole, Tensor.wrap(host, whole.shape(), whole.dtype()));
        assertArrayEquals(
            contents.get(i), host.toArray(ValueLayout.JAVA_SHORT), "an input was changed");
      } finally {
        whole.close();
      }
    }
  }
}
