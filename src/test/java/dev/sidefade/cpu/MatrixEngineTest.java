package dev.sidefade.cpu;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.sidefade.cpu.MatrixEngine.Matrix;
import dev.sidefade.onnx.ElementType;
import dev.sidefade.onnx.OnnxGraph;
import dev.sidefade.onnx.OnnxModel;
import dev.sidefade.ort.OrtLibrary;
import dev.sidefade.tensor.CounterRandom;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.List;
import java.util.function.IntFunction;
import org.junit.jupiter.api.Test;

class MatrixEngineTest {
  private static final int[][] SHAPES = {{1, 1, 1}, {7, 5, 3}, {64, 33, 17}, {130, 96, 65}};

  @Test
  void theNativeLibraryIsReachedHere() {
    try (MatrixEngine engine = MatrixEngine.best(1)) {
      assertEquals("ONNX Runtime's C API", engine.describe());
    }
  }

  @Test
  void bothWaysGiveTheSameBitsAndTheRightOnes() {
    OrtLibrary library = OrtLibrary.find().orElseThrow();
    try (Products fast = new Products(2, t -> new NativeEngine(library, t));
        Products plain = new Products(2, JavaEngine::new)) {
      OrtGemm one = fast.gemm;
      OrtGemm other = plain.gemm;
      for (int[] s : SHAPES) {
        for (int bits = 0; bits < 8; bits++) {
          float[] first = product(one, s, bits);
          assertArrayEquals(first, product(other, s, bits));
          assertArrayEquals(first, product(one, s, bits), "run again from other memory");
          assertTrue(distance(first, reference(s, bits)) < 1e-4);
        }
      }
    }
  }

  /** Large enough to be cut: blocks of rows, and sums over blocks of rows. */
  @Test
  void theNumberOfThreadsDoesNotChangeBits() {
    int[][] shapes = {{1031, 67, 97}, {67, 97, 1031}, {96, 33, 4099}};
    try (Products one = new Products(1, MatrixEngine::best);
        Products two = new Products(2, MatrixEngine::best);
        Products five = new Products(5, MatrixEngine::best)) {
      for (int[] s : shapes) {
        for (int bits = 0; bits < 8; bits++) {
          float[] first = product(one.gemm, s, bits);
          assertTrue(distance(first, reference(s, bits)) < 2e-4);
          assertArrayEquals(first, product(two.gemm, s, bits));
          assertArrayEquals(first, product(five.gemm, s, bits));
        }
      }
      float[] first = linearBackward(one.gemm, 2051, 65, 33);
      assertTrue(distance(first, backwardReference(2051, 65, 33)) < 2e-4);
      assertArrayEquals(first, linearBackward(two.gemm, 2051, 65, 33));
      assertArrayEquals(first, linearBackward(five.gemm, 2051, 65, 33));
    }
  }

  @Test
  void aSumIsCutByItsShape() {
    assertEquals(4, ProductParts.blocksOfSum(1576, 768, 96));
    assertEquals(1, ProductParts.blocksOfSum(511, 768, 96));
    assertEquals(1, ProductParts.blocksOfSum(100_000, 2, 2));
    assertEquals(8, ProductParts.blocksOfSum(100_000, 96, 96));
    assertEquals(1, ProductParts.blocksOfSum(100_000, 2048, 2048), "sums as large as 16 MiB each");
  }

  /** Products and what they stand on. */
  private static final class Products implements AutoCloseable {
    private final Workers workers;
    private final Memory memory = new Memory();
    private final OrtGemm gemm;

    Products(int threads, IntFunction<MatrixEngine> engine) {
      workers = new Workers(threads);
      OrtGemm.Engines engines = new OrtGemm.Engines(engine.apply(1), engine.apply(threads));
      gemm = new OrtGemm(engines, workers, memory, RowMath.best());
    }

    @Override
    public void close() {
      gemm.close();
      workers.close();
      memory.close();
    }
  }

  /** dx and dWeight, one after the other. */
  private static float[] linearBackward(OrtGemm gemm, int rows, int in, int out) {
    try (Arena arena = Arena.ofConfined()) {
      long dxBytes = 4L * rows * in;
      MemorySegment both = arena.allocate(dxBytes + 4L * in * out, 64);
      gemm.linearBackward(
          random(arena, (long) rows * in, 1),
          random(arena, (long) in * out, 2),
          random(arena, (long) rows * out, 3),
          both.address(),
          both.address() + dxBytes,
          rows,
          in,
          out);
      return both.toArray(ValueLayout.JAVA_FLOAT);
    }
  }

  private static double[] backwardReference(int rows, int in, int out) {
    double[] x = normal(rows * in, 1);
    double[] weight = normal(in * out, 2);
    double[] dy = normal(rows * out, 3);
    double[] both = new double[rows * in + in * out];
    for (int r = 0; r < rows; r++) {
      for (int i = 0; i < in; i++) {
        for (int j = 0; j < out; j++) {
          both[r * in + i] += dy[r * out + j] * weight[i * out + j];
          both[rows * in + i * out + j] += dy[r * out + j] * x[r * in + i];
        }
      }
    }
    return both;
  }

  @Test
  void memoryThatDoesNotFitIsAnError() {
    OnnxModel model = OnnxModel.create(8, 13);
    OnnxGraph graph = model.graph();
    graph.addInput("a", ElementType.FLOAT, "m", "k");
    graph.addInput("b", ElementType.FLOAT, "k", "n");
    graph.addOutput("c", ElementType.FLOAT, "m", "n");
    graph.addNode("MatMul", List.of("a", "b"), List.of("c"));
    for (MatrixEngine engine : List.of(MatrixEngine.best(1), new JavaEngine(1))) {
      try (engine;
          Arena arena = Arena.ofConfined()) {
        long memory = arena.allocate(1024, 64).address();
        Matrix a = new Matrix(memory, 2, 3);
        MatrixEngine.Call call =
            engine
                .load(model.toBytes(), List.of("a", "b"), List.of("c"))
                .bind(List.of(a, a), List.of(new Matrix(memory + 512, 2, 3)));
        assertThrows(IllegalStateException.class, call::run);
        call.close();
      }
    }
  }

  @Test
  void aModelThatIsNoneIsAnError() {
    for (MatrixEngine engine : List.of(MatrixEngine.best(1), new JavaEngine(1))) {
      try (engine) {
        byte[] nonsense = {1, 2, 3};
        assertThrows(
            IllegalStateException.class, () -> engine.load(nonsense, List.of("a"), List.of("c")));
      }
    }
  }

  private static float[] product(OrtGemm gemm, int[] s, int bits) {
    try (Arena arena = Arena.ofConfined()) {
      long m = s[0];
      long n = s[1];
      long k = s[2];
      MemorySegment c = arena.allocate(4 * m * n, 64);
      gemm.multiply(
          random(arena, m * k, 1),
          (bits & 1) != 0,
          random(arena, k * n, 2),
          (bits & 2) != 0,
          (bits & 4) != 0 ? random(arena, n, 3) : 0,
          c.address(),
          s[0],
          s[1],
          s[2]);
      return c.toArray(ValueLayout.JAVA_FLOAT);
    }
  }

  private static long random(Arena arena, long count, int stream) {
    MemorySegment segment = arena.allocate(4 * count, 64);
    for (long i = 0; i < count; i++) {
      segment.setAtIndex(ValueLayout.JAVA_FLOAT, i, CounterRandom.normal(5, stream, i));
    }
    return segment.address();
  }

  private static double[] normal(int count, int stream) {
    double[] values = new double[count];
    Arrays.setAll(values, i -> CounterRandom.normal(5, stream, i));
    return values;
  }

  private static double[] reference(int[] s, int bits) {
    double[] first = normal(s[0] * s[2], 1);
    double[] second = normal(s[2] * s[1], 2);
    double[] bias = normal(s[1], 3);
    double[] c = new double[s[0] * s[1]];
    for (int i = 0; i < s[0]; i++) {
      for (int j = 0; j < s[1]; j++) {
        double sum = (bits & 4) != 0 ? bias[j] : 0;
        for (int t = 0; t < s[2]; t++) {
          int a = (bits & 1) != 0 ? t * s[0] + i : i * s[2] + t;
          int b = (bits & 2) != 0 ? j * s[2] + t : t * s[1] + j;
          sum += first[a] * second[b];
        }
        c[i * s[1] + j] = sum;
      }
    }
    return c;
  }

  private static double distance(float[] x, double[] y) {
    double most = 0;
    for (int i = 0; i < x.length; i++) {
      most = Math.max(most, Math.abs(x[i] - y[i]));
    }
    return most;
  }
}
