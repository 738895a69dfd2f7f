package dev.sidefade.cuda;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Random;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** Matrix products by the cuBLAS of this machine. */
@Tag("gpu")
@ExtendWith(RealDriver.class)
class CublasOnGpuTest extends StreamFixture {
  @Test
  void productsAreThoseOfLoopsWithTheSameBitsEveryTime() {
    Random random = new Random(9);
    int[][] shapes = {{1, 1, 1}, {3, 5, 7}, {64, 48, 33}, {129, 17, 300}};
    try (Cublas cublas = Cublas.create(stream)) {
      for (int[] shape : shapes) {
        for (int form = 0; form < 8; form++) {
          product(cublas, random, shape, (form & 1) != 0, (form & 2) != 0, form >> 2);
        }
      }
    }
  }

  private void product(
      Cublas cublas, Random random, int[] shape, boolean turnA, boolean turnB, float beta) {
    int m = shape[0];
    int n = shape[1];
    int k = shape[2];
    float[] a = values(random, m * k);
    float[] b = values(random, k * n);
    float[] c = values(random, m * n);
    float[] first = multiply(cublas, a, turnA, b, turnB, c, shape, beta);
    assertArrayEquals(first, multiply(cublas, a, turnA, b, turnB, c, shape, beta));
    for (int i = 0; i < m; i++) {
      for (int j = 0; j < n; j++) {
        double sum = beta * c[i * n + j];
        double scale = Math.abs(sum);
        for (int l = 0; l < k; l++) {
          double term =
              (double) a[turnA ? l * m + i : i * k + l] * b[turnB ? j * k + l : l * n + j];
          sum += term;
          scale += Math.abs(term);
        }
        // F32 arithmetic; that of TF32 is a thousand times coarser
        assertEquals(sum, first[i * n + j], 2e-6 * scale + 1e-12);
      }
    }
  }

  private float[] multiply(
      Cublas cublas,
      float[] a,
      boolean turnA,
      float[] b,
      boolean turnB,
      float[] c,
      int[] shape,
      float beta) {
    try (Arena arena = Arena.ofConfined();
        DeviceBuffer left = DeviceBuffer.allocate(context, 4L * a.length);
        DeviceBuffer right = DeviceBuffer.allocate(context, 4L * b.length);
        DeviceBuffer out = DeviceBuffer.allocate(context, 4L * c.length)) {
      stream.upload(arena.allocateFrom(JAVA_FLOAT, a), left.address());
      stream.upload(arena.allocateFrom(JAVA_FLOAT, b), right.address());
      MemorySegment host = arena.allocateFrom(JAVA_FLOAT, c);
      stream.upload(host, out.address());
      cublas.gemm(
          left.address(),
          turnA,
          right.address(),
          turnB,
          out.address(),
          shape[0],
          shape[1],
          shape[2],
          beta);
      stream.download(out.address(), host);
      return host.toArray(JAVA_FLOAT);
    }
  }

  private static float[] values(Random random, int count) {
    float[] values = new float[count];
    for (int i = 0; i < count; i++) {
      values[i] = (float) random.nextGaussian();
    }
    return values;
  }
}
