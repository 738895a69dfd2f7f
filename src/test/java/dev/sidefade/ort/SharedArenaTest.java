package dev.sidefade.ort;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import dev.sidefade.onnx.ElementType;
import dev.sidefade.onnx.OnnxModel;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

class SharedArenaTest {
  private static final int SIZE = 5000;

  /** y = (x + x) * x, whose sum is an intermediate result. */
  private static OrtSession open(SharedArena arena) throws OrtException {
    OnnxModel model = OnnxModel.create(8, 17);
    model.graph().addInput("x", ElementType.FLOAT, (long) SIZE);
    model.graph().addOutput("y", ElementType.FLOAT, (long) SIZE);
    model.graph().addNode("Add", List.of("x", "x"), List.of("twice"));
    model.graph().addNode("Mul", List.of("twice", "x"), List.of("y"));
    try (OrtSession.SessionOptions options = new OrtSession.SessionOptions()) {
      arena.useIn(options);
      return OneEnvironment.get().createSession(model.toBytes(), options);
    }
  }

  private static void computes(OrtSession session) throws OrtException {
    float[] x = new float[SIZE];
    float[] expected = new float[SIZE];
    for (int i = 0; i < SIZE; i++) {
      x[i] = i % 100;
      expected[i] = 2 * x[i] * x[i];
    }
    try (OnnxTensor tensor = OnnxTensor.createTensor(OneEnvironment.get(), x);
        OrtSession.Result result = session.run(Map.of("x", tensor))) {
      assertArrayEquals(expected, (float[]) result.get(0).getValue());
    }
  }

  @Test
  void sessionsKeepTheArenaThatTheyWereOpenedWith() throws OrtException {
    List<OrtSession> sessions = new ArrayList<>();
    for (int i = 0; i < 3; i++) {
      try (SharedArena arena = SharedArena.open()) {
        assertTrue(arena.isPresent());
        sessions.add(open(arena));
        sessions.add(open(arena));
        computes(sessions.getLast());
      }
    }
    for (OrtSession session : sessions.reversed()) {
      computes(session);
    }
    while (!sessions.isEmpty()) {
      sessions.removeFirst().close();
      for (OrtSession session : sessions) {
        computes(session);
      }
    }
  }

  @Test
  void insideAnotherThereIsNone() throws OrtException {
    try (SharedArena outer = SharedArena.open()) {
      try (SharedArena inner = SharedArena.open();
          OrtSession session = open(inner)) {
        assertFalse(inner.isPresent());
        computes(session);
      }
      try (OrtSession session = open(outer)) {
        assertTrue(outer.isPresent());
        computes(session);
      }
    }
  }

  @Test
  void othersWaitForTheirs() throws Exception {
    CompletableFuture<Boolean> other;
    try (SharedArena arena = SharedArena.open()) {
      assertTrue(arena.isPresent());
      other =
          CompletableFuture.supplyAsync(() -> {
            try (SharedArena later = SharedArena.open()) {
              return later.isPresent();
            }
          });
      assertFalse(other.isDone());
    }
    assertTrue(other.get(10, TimeUnit.SECONDS));
  }
}
