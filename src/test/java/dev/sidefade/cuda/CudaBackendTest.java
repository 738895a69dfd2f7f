package dev.sidefade.cuda;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.sidefade.cuda.embed.CudaBackend;
import dev.sidefade.tensor.DType;
import dev.sidefade.tensor.Tensor;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.Optional;
import java.util.concurrent.FutureTask;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** Operations on a stream and on memory of somebody else. */
@ExtendWith(Emulation.class)
class CudaBackendTest {
  private static final int COUNT = 1_003;
  private static final long BYTES = 4L * COUNT;

  private CudaContext context;
  private CudaStream stream;
  private DeviceBuffer x;
  private DeviceBuffer y;

  @BeforeEach
  void open() {
    context = CudaContext.open(CudaDevice.get(0));
    stream = CudaStream.create(context);
    x = DeviceBuffer.allocate(context, BYTES);
    y = DeviceBuffer.allocate(context, BYTES);
  }

  @AfterEach
  void close() {
    y.close();
    x.close();
    stream.close();
    assertTrue(context.accounting().isClear());
    context.close();
  }

  /** x = value, y = 0, in the order of the stream. */
  private void fill(float value) {
    stream.fill(x.address(), Float.floatToRawIntBits(value), COUNT);
    stream.zero(y.address(), BYTES);
  }

  private void expect(float value) {
    float[] expected = new float[COUNT];
    Arrays.fill(expected, value);
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment host = arena.allocate(BYTES, 4);
      stream.download(y.address(), host);
      assertArrayEquals(expected, host.toArray(ValueLayout.JAVA_FLOAT));
    }
  }

  private void add(CudaBackend backend) {
    backend
        .kernels()
        .add(
            backend.tensor(x.address(), DType.F32, COUNT),
            backend.tensor(y.address(), DType.F32, COUNT));
  }

  @Test
  void worksInTheOrderOfTheCallersStream() {
    assertEquals(Optional.empty(), CudaBackend.unavailable());
    Emulation.order(Emulation.Order.LAZY);
    try (CudaStream other = CudaStream.create(context);
        CudaBackend backend = CudaBackend.on(stream)) {
      fill(2);
      add(backend);
      // waiting for another stream runs nothing of this one
      other.synchronize();
      long before = Emulation.live(Emulation.Kind.LAUNCHES);
      add(backend);
      other.synchronize();
      assertEquals(before, Emulation.live(Emulation.Kind.LAUNCHES));
      expect(4);
      assertEquals(before + 2, Emulation.live(Emulation.Kind.LAUNCHES));
    }
  }

  @Test
  void leavesTheCallersThingsAlone() {
    CudaBackend backend = CudaBackend.on(stream);
    fill(3);
    add(backend);
    String mine = context.accounting().toString();
    Tensor tensor = backend.tensor(y.address(), DType.F32, COUNT);
    tensor.close();
    assertThrows(IllegalStateException.class, tensor::address);
    assertTrue(backend.device().liveBytes() > 0);
    backend.close();
    backend.close();
    assertEquals(mine, context.accounting().toString());
    assertTrue(stream.isOpen());
    expect(3);
    try (CudaBackend again = CudaBackend.on(context.device(), stream.handle())) {
      add(again);
      expect(6);
      assertEquals(6, again.tensor(y.address(), DType.F32, COUNT).toFloats()[COUNT - 1]);
      Tensor own = again.device().allocate(3);
      again.kernels().add(again.tensor(y.address() + 4, DType.F32, 3), own);
      assertArrayEquals(new float[] {6, 6, 6}, own.toFloats());
      own.close();
    }
  }

  @Test
  void stepsAreReplayedOnTheCallersStreamButNotOnTheDefaultOne() {
    for (long handle : new long[] {stream.handle(), 0, 1}) {
      boolean legacy = handle < 2;
      try (CudaBackend backend = CudaBackend.on(context.device(), handle)) {
        fill(1);
        stream.synchronize();
        for (int i = 0; i < 4; i++) {
          backend.device().step("add", () -> add(backend));
        }
        backend.device().kernels().relu(y(backend), y(backend));
        assertEquals(4, y(backend).toFloats()[COUNT - 1]);
        assertEquals(legacy ? 0 : 1, Emulation.live(Emulation.Kind.GRAPHS) > 0 ? 1 : 0);
      }
    }
  }

  @Test
  void theStreamOfEveryThreadIsRefused() {
    IllegalArgumentException e =
        assertThrows(
            IllegalArgumentException.class, () -> CudaBackend.on(context.device(), 2).close());
    assertTrue(e.getMessage().contains("cuStreamCreate"), e.getMessage());
  }

  private Tensor y(CudaBackend backend) {
    return backend.tensor(y.address(), DType.F32, COUNT);
  }

  @Test
  void pointersThatCannotBeAreRefused() {
    try (CudaBackend backend = CudaBackend.on(stream)) {
      IllegalArgumentException odd =
          assertThrows(
              IllegalArgumentException.class,
              () -> backend.tensor(x.address() + 2, DType.F32, COUNT));
      assertTrue(odd.getMessage().contains("expected a multiple of 4"), odd.getMessage());
      assertThrows(IllegalArgumentException.class, () -> backend.tensor(0, DType.F16, 1));
      assertThrows(
          IllegalArgumentException.class, () -> backend.tensor(x.address() + 1, DType.F16, 1));
      assertEquals(0, backend.tensor(0, DType.F32, 0, 7).size());
      assertFalse(backend.tensor(x.address() + 2, DType.F16, 3, 5).onHost());
    }
  }

  @Test
  void anotherThreadTakesItOver() throws Exception {
    CudaBackend backend = CudaBackend.on(stream);
    Tensor from = backend.tensor(x.address(), DType.F32, COUNT);
    Tensor to = y(backend);
    fill(5);
    FutureTask<Void> elsewhere =
        new FutureTask<>(() -> {
          assertThrows(WrongThreadException.class, () -> backend.kernels().add(from, to));
          backend.takeOver();
          backend.kernels().add(from, to);
          backend.close();
          return null;
        });
    Thread thread = new Thread(elsewhere);
    thread.start();
    thread.join();
    elsewhere.get();
    expect(5);
  }
}
