package dev.sidefade.kernels;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.sidefade.tensor.DType;
import dev.sidefade.tensor.Shape;
import dev.sidefade.tensor.Tensor;
import java.lang.foreign.Arena;
import java.lang.foreign.ValueLayout;
import org.junit.jupiter.api.Test;

/** Memory of a device. */
public interface DeviceContract extends KernelContract {

  /** A host tensor over {@code values}. */
  private static Tensor host(Arena arena, float... values) {
    var segment = arena.allocateFrom(ValueLayout.JAVA_FLOAT, values);
    return Tensor.wrap(segment, Shape.of(values.length), DType.F32);
  }

  @Test
  default void deviceHasAName() {
    try (Device device = open()) {
      assertFalse(device.name().isBlank());
    }
  }

  @Test
  default void allocatedTensorsHoldZerosAlsoWhenMemoryIsUsedAgain() {
    try (Device device = open();
        Arena arena = Arena.ofConfined()) {
      for (int round = 0; round < 3; round++) {
        try (Tensor tensor = device.allocate(3, 5)) {
          Tensor back = host(arena, Data.filled(15, 7));
          device.copy(tensor, back);
          assertArrayEquals(new float[15], back.toFloats());
          device.copy(host(arena, Data.filled(15, 9)), tensor);
        }
      }
    }
  }

  @Test
  default void allocatesEveryTypeAndEmptyTensors() {
    try (Device device = open()) {
      for (DType dtype : DType.values()) {
        try (Tensor tensor = device.allocate(dtype, Shape.of(2, 3));
            Tensor empty = device.allocate(dtype, Shape.of(0, 3))) {
          assertEquals(dtype, tensor.dtype());
          assertEquals(Shape.of(2, 3), tensor.shape());
          assertEquals(6L * dtype.bytes(), tensor.bytes());
          assertEquals(0, empty.bytes());
        }
      }
    }
  }

  @Test
  default void copiesToFromAndWithinTheDevice() {
    float[] values = Data.normal(1, 1000);
    try (Device device = open();
        Arena arena = Arena.ofConfined();
        Tensor first = device.allocate(10, 100);
        Tensor second = device.allocate(1200)) {
      device.copy(host(arena, values), first);
      device.copy(first, second.slice(100, 1000));
      Tensor back = host(arena, new float[1200]);
      device.copy(second, back);
      float[] want = new float[1200];
      System.arraycopy(values, 0, want, 100, 1000);
      assertArrayEquals(want, back.toFloats());
    }
  }

  @Test
  default void copyRefusesOtherSizesAndTypes() {
    try (Device device = open();
        Tensor six = device.allocate(2, 3);
        Tensor seven = device.allocate(7);
        Tensor half = device.allocate(DType.F16, Shape.of(2, 3))) {
      assertThrows(IllegalArgumentException.class, () -> device.copy(six, seven));
      assertThrows(IllegalArgumentException.class, () -> device.copy(six, half));
    }
  }

  @Test
  default void zeroesExactlyTheTensor() {
    try (Device device = open();
        Arena arena = Arena.ofConfined();
        Tensor tensor = device.allocate(9)) {
      device.copy(host(arena, Data.filled(9, 4)), tensor);
      device.zero(tensor.slice(2, 5));
      Tensor back = host(arena, new float[9]);
      device.copy(tensor, back);
      assertArrayEquals(new float[] {4, 4, 0, 0, 0, 0, 0, 4, 4}, back.toFloats());
    }
  }

  @Test
  default void countsLiveAndPeakBytes() {
    try (Device device = open()) {
      long before = device.liveBytes();
      device.resetPeak();
      assertEquals(before, device.peakBytes());
      Tensor large = device.allocate(100, 1000);
      assertTrue(device.liveBytes() >= before + 400_000);
      large.close();
      large.close();
      assertEquals(before, device.liveBytes());
      assertTrue(device.peakBytes() >= before + 400_000);
      device.resetPeak();
      assertEquals(before, device.peakBytes());
    }
  }

  @Test
  default void closedTensorsAreRefused() {
    try (Device device = open();
        Tensor open = device.allocate(4)) {
      Tensor closed = device.allocate(4);
      closed.close();
      assertThrows(IllegalStateException.class, () -> device.copy(closed, open));
      assertThrows(IllegalStateException.class, () -> device.copy(open, closed));
      assertThrows(IllegalStateException.class, () -> device.zero(closed));
    }
  }
}
