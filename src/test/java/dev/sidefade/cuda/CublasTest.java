package dev.sidefade.cuda;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.foreign.Arena;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** Row-major products against a loop in double. */
@ExtendWith(Emulation.class)
class CublasTest {
  private CudaContext context;
  private CudaStream stream;
  private Cublas cublas;

  @BeforeEach
  void open() {
    context = CudaContext.open(CudaDevice.get(0));
    stream = CudaStream.create(context);
    cublas = Cublas.create(stream);
  }

  @AfterEach
  void close() {
    cublas.close();
    stream.close();
    assertTrue(context.accounting().isClear(), context.accounting().toString());
    context.close();
  }

  private DeviceBuffer upload(float[] values) {
    DeviceBuffer buffer = DeviceBuffer.allocate(context, 4L * Math.max(1, values.length));
    try (Arena arena = Arena.ofConfined()) {
      stream.upload(arena.allocateFrom(JAVA_FLOAT, values), buffer.address());
    }
    return buffer;
  }

  private float[] download(DeviceBuffer buffer, int count) {
    try (PinnedBuffer host = PinnedBuffer.allocate(context, 4L * count)) {
      stream.download(buffer.address(), host.segment());
      return host.segment().toArray(JAVA_FLOAT);
    }
  }

  private static float[] random(Random random, int count) {
    float[] values = new float[count];
    for (int i = 0; i < count; i++) {
      values[i] = (float) random.nextGaussian();
    }
    return values;
  }

  @Test
  void productsOfAllFormsAreThoseOfALoop() {
    Random random = new Random(11);
    int[][] shapes = {{1, 1, 1}, {3, 5, 7}, {17, 1, 4}, {1, 19, 33}, {24, 40, 16}, {5, 6, 129}};
    for (int[] shape : shapes) {
      for (int form = 0; form < 12; form++) {
        check(random, shape, form % 2 == 1, form / 2 % 2 == 1, new float[] {0, 1, -0.5f}[form / 4]);
      }
    }
  }

  private void check(Random random, int[] shape, boolean ta, boolean tb, float beta) {
    int m = shape[0];
    int n = shape[1];
    int k = shape[2];
    float[] a = random(random, m * k);
    float[] b = random(random, k * n);
    float[] c = random(random, m * n);
    if (beta == 0) {
      c[0] = Float.NaN;
    }
    float[] got;
    try (DeviceBuffer da = upload(a);
        DeviceBuffer db = upload(b);
        DeviceBuffer dc = upload(c)) {
      cublas.gemm(da.address(), ta, db.address(), tb, dc.address(), m, n, k, beta);
      got = download(dc, m * n);
    }
    for (int i = 0; i < m; i++) {
      for (int j = 0; j < n; j++) {
        double sum = beta == 0 ? 0 : (double) beta * c[i * n + j];
        for (int p = 0; p < k; p++) {
          sum += (double) a[ta ? p * m + i : i * k + p] * b[tb ? j * k + p : p * n + j];
        }
        assertEquals(sum, got[i * n + j], 1e-5 * Math.sqrt(k + 1.0) * 4);
      }
    }
  }

  @Test
  void nothingIsDoneForNothing() {
    try (DeviceBuffer c = upload(new float[] {1, 2})) {
      cublas.gemm(c.address(), false, c.address(), false, c.address(), 0, 2, 5, 0);
      cublas.gemm(c.address(), false, c.address(), false, c.address(), 2, 0, 5, 0);
      assertEquals(2f, download(c, 2)[1]);
      // no inner rows: beta alone
      cublas.gemm(c.address(), false, c.address(), false, c.address(), 1, 2, 0, 0.5f);
      assertEquals(1f, download(c, 2)[1]);
    }
  }

  @Test
  void sizesThatDoNotFitAreRefused() {
    assertThrows(
        IllegalArgumentException.class,
        () -> cublas.gemm(0, false, 0, false, 0, 1L << 31, 1, 1, 0));
    assertThrows(
        IllegalArgumentException.class, () -> cublas.gemm(0, false, 0, false, 0, -1, 1, 1, 0));
  }

  @Test
  void aProductIsRecordedInAGraph() {
    try (DeviceBuffer a = upload(new float[] {3});
        DeviceBuffer c = upload(new float[] {1});
        CudaGraph graph =
            CudaGraph.capture(
                stream,
                () ->
                    cublas.gemm(a.address(), false, a.address(), false, c.address(), 1, 1, 1, 1))) {
      graph.launch(stream);
      graph.launch(stream);
      assertEquals(19f, download(c, 1)[0]);
    }
  }

  @Test
  void whatWasFoundIsReported() {
    assertTrue(CublasLibrary.unavailable().isEmpty());
    assertTrue(CublasLibrary.report().getLast().startsWith("cuBLAS /"));
    assertTrue(cublas.version() >= 120_000);
    assertEquals(1, context.accounting().cublasHandles());
  }
}
