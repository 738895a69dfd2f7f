package dev.sidefade.kernels;

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
 * Tensors of one test on one device, each between two margins of a certain NaN: a kernel that
 * writes beside a tensor is found by {@link #finish()}, one that reads beside it spoils its own
 * result. Inputs must come back unchanged.
 */
final class Lab implements AutoCloseable {
  /** A quiet NaN with a payload that arithmetic does not produce from other values. */
  static final int SENTINEL = 0x7fc5a5a5;

  private static final int MARGIN = 16;

  private final Device device;
  private final int lead;
  private final List<Guarded> all = new ArrayList<>();

  private record Guarded(Tensor whole, Tensor inner, int[] constant) {}

  Lab(Device device) {
    this(device, MARGIN);
  }

  /**
   * With {@code lead} elements before each tensor: other than multiples of 4 give tensors on odd
   * addresses.
   */
  Lab(Device device, int lead) {
    this.device = device;
    this.lead = lead;
  }

  Kernels kernels() {
    return device.kernels();
  }

  /** A tensor that no kernel may change. */
  Tensor in(float[] values, long... dims) {
    return guard(bits(values), true, dims);
  }

  /** A tensor with given contents that a kernel may change. */
  Tensor inOut(float[] values, long... dims) {
    return guard(bits(values), false, dims);
  }

  /** A tensor of sentinels. */
  Tensor out(long... dims) {
    int[] content = new int[Math.toIntExact(Shape.of(dims).size())];
    Arrays.fill(content, SENTINEL);
    return guard(content, false, dims);
  }

  float[] read(Tensor tensor) {
    int[] bits = readBits(tensor);
    float[] values = new float[bits.length];
    for (int i = 0; i < bits.length; i++) {
      values[i] = Float.intBitsToFloat(bits[i]);
    }
    return values;
  }

  int[] readBits(Tensor tensor) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment host = arena.allocate(tensor.bytes(), 64);
      device.copy(tensor, Tensor.wrap(host, tensor.shape(), DType.F32));
      return host.toArray(ValueLayout.JAVA_INT);
    }
  }

  /** Checks the margins of all tensors and the contents of inputs, and gives the tensors back. */
  void finish() {
    try {
      for (Guarded guarded : all) {
        check(guarded);
      }
    } finally {
      all.forEach(guarded -> guarded.whole.close());
      all.clear();
    }
  }

  @Override
  public void close() {
    try (device) {
      finish();
    }
  }

  private void check(Guarded guarded) {
    int[] bits = readBits(guarded.whole);
    int size = Math.toIntExact(guarded.inner.size());
    for (int i = 0; i < bits.length; i++) {
      boolean margin = i < lead || i >= lead + size;
      if (margin && bits[i] != SENTINEL) {
        fail(
            "element "
                + (i - lead)
                + ", outside a tensor of shape "
                + guarded.inner.shape()
                + ", was overwritten with "
                + Float.intBitsToFloat(bits[i]));
      }
    }
    if (guarded.constant != null) {
      for (int i = 0; i < size; i++) {
        assertEquals(
            guarded.constant[i], bits[lead + i], "input " + guarded.inner + " was changed at " + i);
      }
    }
  }

  private Tensor guard(int[] content, boolean constant, long... dims) {
    int[] block = new int[lead + content.length + MARGIN];
    Arrays.fill(block, SENTINEL);
    System.arraycopy(content, 0, block, lead, content.length);
    Tensor whole = device.allocate(block.length);
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment host = arena.allocate(whole.bytes(), 64);
      MemorySegment.copy(block, 0, host, ValueLayout.JAVA_INT, 0, block.length);
      device.copy(Tensor.wrap(host, whole.shape(), DType.F32), whole);
    }
    Tensor inner = whole.slice(lead, dims);
    all.add(new Guarded(whole, inner, constant ? content : null));
    return inner;
  }

  private static int[] bits(float[] values) {
    int[] bits = new int[values.length];
    for (int i = 0; i < values.length; i++) {
      bits[i] = Float.floatToRawIntBits(values[i]);
    }
    return bits;
  }
}
