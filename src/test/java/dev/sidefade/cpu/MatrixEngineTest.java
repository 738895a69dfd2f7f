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
import java.util.List;
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
    try (MatrixEngine fast = new NativeEngine(OrtLibrary.find().orElseThrow(), 2);
        MatrixEngine plain = new JavaEngine(2)) {
      OrtGemm one = new OrtGemm(fast);
      OrtGemm other = new OrtGemm(plain);
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

  private static double[] reference(int[] s, int bits) {
    double[] c = new double[s[0] * s[1]];
    for (int i = 0; i < s[0]; i++) {
      for (int j = 0; j < s[1]; j++) {
        double sum = (bits & 4) != 0 ? CounterRandom.normal(5, 3, j) : 0;
        for (int t = 0; t < s[2]; t++) {
          int a = (bits & 1) != 0 ? t * s[0] + i : i * s[2] + t;
          int b = (bits & 2) != 0 ? j * s[2] + t : t * s[1] + j;
          sum += (double) CounterRandom.normal(5, 1, a) * CounterRandom.normal(5, 2, b);
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
