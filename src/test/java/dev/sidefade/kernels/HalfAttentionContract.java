package dev.sidefade.kernels;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.fail;

import dev.sidefade.tensor.DType;
import dev.sidefade.tensor.Shape;
import dev.sidefade.tensor.Tensor;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;

/**
 * {@link Kernels#attention} and its gradient on F16 and BF16, for backends that compute on them.
 *
 * <p>The reference works in F64 on the rounded inputs. Sums are F32, so a result may be off by what
 * {@link Close} allows for F32, and by its own rounding: half a unit in the last place.
 */
public interface HalfAttentionContract extends KernelContract {
  List<DType> HALF_TYPES = List.of(DType.F16, DType.BF16);

  @Test
  default void halfAttentionMatchesReferenceOnOddShapes() {
    try (Device device = open()) {
      for (DType dtype : HALF_TYPES) {
        for (int tokens : new int[] {1, 5, 33, 70}) {
          for (int dim : new int[] {1, 3, 4, 8, 12, 16, 20, 32, 40, 64, 128}) {
            int heads = dim > 20 ? 1 : 3;
            // at an odd element, and where accesses of several elements are possible
            new HalfCase(dtype, 2, tokens, heads, dim, false, 3).check(device);
            new HalfCase(dtype, 2, tokens, heads, dim, true, 16).check(device);
          }
        }
      }
    }
  }

  @Test
  default void halfAttentionOfManyTokens() {
    try (Device device = open()) {
      new HalfCase(DType.F16, 1, 197, 3, 16, true, 16).check(device);
      new HalfCase(DType.BF16, 2, 197, 2, 20, true, 16).check(device);
    }
  }

  @Test
  default void halfAttentionGivesTheSameBitsAtAnyElement() {
    try (Device device = open()) {
      for (DType dtype : HALF_TYPES) {
        short[][] aligned = new HalfCase(dtype, 2, 37, 2, 16, true, 16).outputs(device);
        for (int lead : new int[] {1, 2, 4}) {
          short[][] moved = new HalfCase(dtype, 2, 37, 2, 16, true, lead).outputs(device);
          assertArrayEquals(aligned[0], moved[0], dtype + ": bits of out at element " + lead);
          assertArrayEquals(aligned[1], moved[1], dtype + ": bits of dQkv at element " + lead);
        }
      }
    }
  }

  @Test
  default void attentionRefusesTensorsOfTwoTypes() {
    TokenLayout layout = new TokenLayout(1, 2, 0, 0, 0);
    try (Device device = open();
        Tensor qkv = device.allocate(DType.F16, Shape.of(2, 12));
        Tensor dQkv = device.allocate(DType.F16, Shape.of(2, 12));
        Tensor half = device.allocate(DType.F16, Shape.of(2, 4));
        Tensor other = device.allocate(DType.BF16, Shape.of(2, 4));
        Tensor otherQkv = device.allocate(2, 12)) {
      Kernels kernels = device.kernels();
      refused(() -> kernels.attention(qkv, layout, 1, null, other));
      refused(() -> kernels.attentionBackward(qkv, layout, 1, null, other, dQkv));
      refused(() -> kernels.attentionBackward(qkv, layout, 1, null, half, otherQkv));
    }
  }

  private static void refused(Runnable call) {
    assertThrows(IllegalArgumentException.class, call::run);
  }

  /** One shape: inputs of size 1, rows of padding NaN throughout, margins around every tensor. */
  record HalfCase(
      DType dtype, int batch, int tokens, int heads, int dim, boolean padded, int lead) {
    private static final short SENTINEL = 0x7fa5; // a NaN of both types
    private static final int MARGIN = 16;

    void check(Device device) {
      float[] valid = valid();
      double[] qkv = rounded(Data.normal(1, rows() * 3 * width()));
      double[] dOut = rounded(Data.normal(2, rows() * width()));
      for (int i = 0; i < dOut.length; i++) {
        dOut[i] = valid[i / width()] == 0 ? 0 : dOut[i];
      }
      double[] v = Data.widen(valid);
      short[][] got = outputs(device);
      near(
          "out",
          got[0],
          AttentionReference.forward(qkv, batch, tokens, heads, width(), v),
          tokens + dim,
          1);
      near(
          "dQkv",
          got[1],
          AttentionReference.backward(qkv, batch, tokens, heads, width(), v, dOut),
          tokens + 2L * dim,
          2);
    }

    /** Bits of out and dQkv. */
    short[][] outputs(Device device) {
      TokenLayout layout = new TokenLayout(batch, tokens, 0, 0, 0);
      float[] flags = valid();
      short[] qkv = bits(Data.poison(Data.normal(1, rows() * 3 * width()), 3 * width(), flags, 0));
      short[] dOut = bits(Data.poison(Data.normal(2, rows() * width()), width(), flags, 0));
      short[] unwritten = new short[rows() * 3 * width()];
      Arrays.fill(unwritten, SENTINEL);
      try (Tensor in = guarded(device, qkv);
          Tensor gradient = guarded(device, dOut);
          Tensor out = guarded(device, Arrays.copyOf(unwritten, rows() * width()));
          Tensor dQkv = guarded(device, unwritten);
          Tensor valid = device.allocate(rows())) {
        write(device, valid, flags);
        Tensor v = padded ? valid : null;
        Tensor input = inner(in, 3 * width());
        device.kernels().attention(input, layout, heads, v, inner(out, width()));
        device
            .kernels()
            .attentionBackward(
                input, layout, heads, v, inner(gradient, width()), inner(dQkv, 3 * width()));
        assertArrayEquals(qkv, unguarded(device, in), this + ": qkv was changed");
        assertArrayEquals(dOut, unguarded(device, gradient), this + ": dOut was changed");
        return new short[][] {unguarded(device, out), unguarded(device, dQkv)};
      }
    }

    private int rows() {
      return batch * tokens;
    }

    private int width() {
      return heads * dim;
    }

    private float[] valid() {
      return padded ? Data.validity(tokens + dim, batch, tokens) : Data.filled(rows(), 1);
    }

    private void near(String what, short[] got, double[] want, long terms, double scale) {
      assertEquals(want.length, got.length, this + " " + what + ": number of elements");
      double inF32 = Close.tolerance(terms) * scale * Math.max(1, Data.largest(want));
      double unit = dtype == DType.F16 ? 0x1p-11 : 0x1p-8;
      for (int i = 0; i < got.length; i++) {
        double value = value(got[i]);
        double allowed = inF32 + unit * (Math.abs(want[i]) + inF32);
        if (!(Math.abs(value - want[i]) <= allowed)) {
          fail(this + " " + what + "[" + i + "]: expected " + want[i] + ", got " + value);
        }
      }
    }

    private double[] rounded(float[] values) {
      short[] bits = bits(values);
      double[] rounded = new double[bits.length];
      for (int i = 0; i < bits.length; i++) {
        rounded[i] = value(bits[i]);
      }
      return rounded;
    }

    private short[] bits(float[] values) {
      short[] bits = new short[values.length];
      for (int i = 0; i < bits.length; i++) {
        bits[i] = dtype == DType.F16 ? Float.floatToFloat16(values[i]) : brain(values[i]);
      }
      return bits;
    }

    /** The nearest bfloat16, ties to even. */
    private static short brain(float value) {
      int bits = Float.floatToRawIntBits(value);
      if (Float.isNaN(value)) {
        return (short) ((bits >>> 16) | 0x40);
      }
      return (short) ((bits + 0x7fff + ((bits >>> 16) & 1)) >>> 16);
    }

    private float value(short bits) {
      return dtype == DType.F16 ? Float.float16ToFloat(bits) : Float.intBitsToFloat(bits << 16);
    }

    private Tensor inner(Tensor whole, int rowWidth) {
      return whole.slice(lead, rows(), rowWidth);
    }

    private Tensor guarded(Device device, short[] content) {
      short[] block = new short[lead + content.length + MARGIN];
      Arrays.fill(block, SENTINEL);
      System.arraycopy(content, 0, block, lead, content.length);
      Tensor whole = device.allocate(dtype, Shape.of(block.length));
      try (Arena arena = Arena.ofConfined()) {
        MemorySegment host = arena.allocate(whole.bytes(), 64);
        MemorySegment.copy(block, 0, host, ValueLayout.JAVA_SHORT, 0, block.length);
        device.copy(Tensor.wrap(host, whole.shape(), dtype), whole);
      }
      return whole;
    }

    private short[] unguarded(Device device, Tensor whole) {
      try (Arena arena = Arena.ofConfined()) {
        MemorySegment host = arena.allocate(whole.bytes(), 64);
        device.copy(whole, Tensor.wrap(host, whole.shape(), dtype));
        short[] block = host.toArray(ValueLayout.JAVA_SHORT);
        for (int i = 0; i < block.length; i++) {
          if ((i < lead || i >= block.length - MARGIN) && block[i] != SENTINEL) {
            fail(this + ": element " + (i - lead) + ", outside a tensor, was overwritten");
          }
        }
        return Arrays.copyOfRange(block, lead, block.length - MARGIN);
      }
    }

    private static void write(Device device, Tensor target, float[] values) {
      try (Arena arena = Arena.ofConfined()) {
        MemorySegment host = arena.allocate(target.bytes(), 64);
        Tensor source = Tensor.wrap(host, target.shape(), DType.F32);
        source.setFloats(values);
        device.copy(source, target);
      }
    }
  }
}
