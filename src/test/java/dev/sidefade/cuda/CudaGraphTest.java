package dev.sidefade.cuda;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** Recording once, launching often. */
@ExtendWith(Emulation.class)
class CudaGraphTest {
  private CudaContext context;
  private CudaStream stream;
  private DeviceBuffer buffer;
  private PinnedBuffer host;

  @BeforeEach
  void open() {
    context = CudaContext.open(CudaDevice.get(0));
    stream = CudaStream.create(context);
    buffer = DeviceBuffer.allocate(context, 64);
    host = PinnedBuffer.allocate(context, 64);
    stream.zero(buffer.address(), 64);
    stream.synchronize();
  }

  @AfterEach
  void close() {
    host.close();
    buffer.close();
    stream.close();
    assertTrue(context.accounting().isClear(), context.accounting().toString());
    context.close();
  }

  private int read(int index) {
    stream.download(buffer.address(), host, 0, 64);
    stream.synchronize();
    return host.segment().getAtIndex(JAVA_INT, index);
  }

  @Test
  void recordsWithoutRunningAndRunsAsOftenAsLaunched() {
    try (PinnedBuffer source = PinnedBuffer.allocate(context, 4);
        CudaGraph graph =
            CudaGraph.capture(
                stream,
                () -> {
                  stream.upload(source, 0, buffer.address(), 4);
                  stream.copy(buffer.address(), buffer.address() + 4, 4);
                })) {
      assertEquals(2, graph.nodes());
      assertEquals(0, read(0));
      // what a graph reads from the host is read at each launch
      for (int value : new int[] {7, -3}) {
        source.segment().set(JAVA_INT, 0, value);
        graph.launch(stream);
        assertEquals(value, read(1));
      }
    }
  }

  @Test
  void joinsStreamsByEvents() {
    try (CudaStream other = CudaStream.create(context);
        CudaEvent begun = CudaEvent.create(context);
        CudaEvent ended = CudaEvent.create(context);
        CudaGraph graph =
            CudaGraph.capture(
                stream,
                () -> {
                  stream.fill(buffer.address(), 5, 1);
                  begun.record(stream);
                  other.waitFor(begun);
                  other.copy(buffer.address(), buffer.address() + 8, 4);
                  ended.record(other);
                  stream.waitFor(ended);
                  stream.copy(buffer.address() + 8, buffer.address() + 12, 4);
                })) {
      assertEquals(3, graph.nodes());
      graph.launch(stream);
      assertEquals(5, read(3));
    }
  }

  @Test
  void takesNewArgumentsOver() {
    try (CudaGraph graph = CudaGraph.capture(stream, () -> stream.fill(buffer.address(), 1, 1))) {
      assertTrue(graph.update(stream, () -> stream.fill(buffer.address(), 2, 1)));
      graph.launch(stream);
      assertEquals(2, read(0));
      assertFalse(
          graph.update(
              stream,
              () -> {
                stream.fill(buffer.address(), 3, 1);
                stream.copy(buffer.address(), buffer.address() + 4, 4);
              }),
          "other steps");
      assertEquals(2, graph.nodes());
      graph.launch(stream);
      assertEquals(3, read(1));
    }
  }

  @Test
  void givesUpWhenTheWorkFails() {
    IllegalStateException mine = new IllegalStateException("mine");
    Runnable failing =
        () -> {
          stream.fill(buffer.address(), 1, 1);
          throw mine;
        };
    assertSame(
        mine, assertThrows(IllegalStateException.class, () -> CudaGraph.capture(stream, failing)));
    stream.fill(buffer.address(), 9, 1);
    assertEquals(9, read(0));
    try (CudaGraph graph = CudaGraph.capture(stream, () -> stream.fill(buffer.address(), 1, 1))) {
      assertThrows(IllegalStateException.class, () -> graph.update(stream, failing));
      graph.launch(stream);
      assertEquals(1, read(0));
    }
  }

  @Test
  void saysWhatCannotBeRecorded() {
    CudaException e =
        assertThrows(
            CudaException.class, () -> CudaGraph.capture(stream, () -> stream.synchronize()));
    assertEquals("CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED", e.name());
    assertEquals(1, e.getSuppressed().length, "the end of the recording fails too");
    assertThrows(
        CudaException.class,
        () -> CudaGraph.capture(stream, () -> DeviceBuffer.allocate(context, 4).close()));
    // the stream is usable again
    stream.fill(buffer.address(), 4, 1);
    assertEquals(4, read(0));
  }

  @Test
  void anEmptyRecordingIsAGraph() {
    try (CudaGraph graph = CudaGraph.capture(stream, () -> {})) {
      assertEquals(0, graph.nodes());
      graph.launch(stream);
      stream.synchronize();
    }
  }
}
