package dev.sidefade.ort;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtProvider;
import dev.sidefade.onnx.ElementType;
import dev.sidefade.onnx.OnnxGraph;
import dev.sidefade.onnx.OnnxModel;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Sessions over a model of two nodes: sum = x + y of floats, twice = n + n of integers. */
class BoundSessionTest {
  private static final BoundMemory HOST = new BoundMemory.Host();

  @TempDir Path folder;

  private static OnnxModel model() {
    OnnxModel model = OnnxModel.create(8, 13);
    OnnxGraph graph = model.graph();
    graph.addInput("x", ElementType.FLOAT, "rows", "columns");
    graph.addInput("y", ElementType.FLOAT, "rows", "columns");
    graph.addInput("n", ElementType.INT64, "count");
    graph.addOutput("sum", ElementType.FLOAT, "rows", "columns");
    graph.addOutput("twice", ElementType.INT64, "count");
    graph.addNode("Add", List.of("x", "y"), List.of("sum"));
    graph.addNode("Add", List.of("n", "n"), List.of("twice"));
    return model;
  }

  private static MemorySegment floats(Arena arena, float... values) {
    return arena.allocateFrom(ValueLayout.JAVA_FLOAT, values);
  }

  private static void bindInput(BoundSession session, String name, MemorySegment at, long... dims) {
    session.bindInput(name, at.address(), dims, BoundType.FLOAT, true);
  }

  private static void addsUp(BoundSession session) {
    try (Arena arena = Arena.ofConfined()) {
      addsUp(session, arena);
    }
  }

  private static void addsUp(BoundSession session, Arena arena) {
    MemorySegment x = floats(arena, 1, 2, 3, 4, 5, 6);
    MemorySegment y = floats(arena, 10, 20, 30, 40, 50, 60);
    MemorySegment sum = floats(arena, new float[7]);
    MemorySegment n = arena.allocateFrom(ValueLayout.JAVA_LONG, 1L << 40, -7);
    MemorySegment twice = arena.allocateFrom(ValueLayout.JAVA_LONG, 0, 0, 99);
    session.bindInput("n", n.address(), new long[] {2}, BoundType.INT64, true);
    session.bindOutput("twice", twice.address(), new long[] {2}, BoundType.INT64, true);
    // the same memory in other shapes, then less of it
    for (long[] dims : new long[][] {{2, 3}, {3, 2}, {1, 6}, {2, 2}}) {
      sum.fill((byte) 0);
      bindInput(session, "x", x, dims);
      bindInput(session, "y", y, dims);
      session.bindOutput("sum", sum.address(), dims, BoundType.FLOAT, true);
      session.run();
      session.synchronize();
      float[] expected = {11, 22, 33, 44, 55, 66, 0};
      Arrays.fill(expected, (int) (dims[0] * dims[1]), 7, 0);
      assertArrayEquals(expected, sum.toArray(ValueLayout.JAVA_FLOAT));
      assertArrayEquals(new long[] {1L << 41, -14, 99}, twice.toArray(ValueLayout.JAVA_LONG));
    }
  }

  @Test
  void bothTypesAreComputedInPlace() {
    try (BoundSession session = BoundSession.open(model().toBytes(), 1, HOST)) {
      assertEquals(HOST, session.memory());
      addsUp(session);
    }
  }

  @Test
  void aFileIsAsGoodAsBytes() throws IOException {
    Path file = folder.resolve("sömé model.onnx");
    Files.write(file, model().toBytes());
    try (BoundSession session = BoundSession.open(file, 1, HOST)) {
      addsUp(session);
    }
  }

  @Test
  void mistakesAreSaidAndHarmless() {
    try (Arena arena = Arena.ofConfined();
        BoundSession session = BoundSession.open(model().toBytes(), 1, HOST)) {
      MemorySegment x = floats(arena, 1, 2);
      failed(() -> bindInput(session, "nobody", x, 1, 2), "nobody");
      // nothing is bound yet
      failed(session::run, "");
      failed(() -> bindInput(session, "x", x, 1, -2), "");
      // what is bound must live as long as it is run
      addsUp(session, arena);
      bindInput(session, "y", floats(arena, 1, 2, 3), 1, 3);
      failed(session::run, "");
      addsUp(session, arena);
    }
  }

  @Test
  void whatIsNoModelIsRefused() {
    failed(() -> BoundSession.open(new byte[] {1, 2, 3}, 1, HOST), "");
    failed(() -> BoundSession.open(folder.resolve("missing.onnx"), 1, HOST), "missing.onnx");
  }

  @Test
  void cudaWithoutItsProviderIsRefused() {
    Assumptions.assumeFalse(
        OrtEnvironment.getAvailableProviders().contains(OrtProvider.CUDA),
        "this ONNX Runtime has a CUDA provider");
    failed(() -> BoundSession.open(model().toBytes(), 1, new BoundMemory.Cuda(0, 0)), "CUDA");
  }

  private static void failed(Runnable run, String part) {
    OrtFailure failure = assertThrows(OrtFailure.class, run::run);
    assertTrue(failure.reason().contains(part), failure.reason());
    assertTrue(!failure.reason().isBlank());
  }

  @Test
  void aClosedSessionSaysSo() {
    BoundSession session = BoundSession.open(model().toBytes(), 1, HOST);
    session.close();
    session.close();
    assertThrows(IllegalStateException.class, session::run);
    assertThrows(
        IllegalStateException.class,
        () -> session.bindInput("x", 64, new long[] {1}, BoundType.FLOAT, true));
  }
}
