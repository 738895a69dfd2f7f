package dev.sidefade.cuda;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.sidefade.cuda.ops.GpuDevice;
import dev.sidefade.cuda.ops.StepCounts;
import dev.sidefade.kernels.Device;
import dev.sidefade.kernels.Distillation;
import dev.sidefade.kernels.Upload;
import dev.sidefade.tensor.DType;
import dev.sidefade.tensor.Shape;
import dev.sidefade.tensor.Tensor;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Steps that are recorded and replayed, and copies beside them, in every order of the streams. */
@ExtendWith(Emulation.class)
class CudaStepTest {
  private static final int ROWS = 5;
  private static final int CLASSES = 3;
  private static final int OUT_OF_MEMORY = 2;
  private static final int OUT_OF_RESOURCES = 701;

  private static GpuDevice open() {
    return (GpuDevice) Device.open("cuda", 0);
  }

  private static float[] numbers(int count, int seed) {
    float[] values = new float[count];
    for (int i = 0; i < count; i++) {
      values[i] = (float) Math.sin(i * 1.7 + seed);
    }
    return values;
  }

  private static int[] labels(int step) {
    return IntStream.range(0, ROWS).map(row -> (row * step + step) % (CLASSES + 1) - 1).toArray();
  }

  /** Gradients of one batch with ever other labels, added up. */
  private static final class Sum implements AutoCloseable {
    private final Device device;
    private final Tensor logits;
    private final Tensor losses;
    private final Tensor gradient;
    private final Tensor sum;

    Sum(Device device) {
      this.device = device;
      logits = device.allocate(ROWS, CLASSES);
      logits.setFloats(numbers(ROWS * CLASSES, 0));
      losses = device.allocate(2);
      gradient = device.allocate(ROWS, CLASSES);
      sum = device.allocate(ROWS, CLASSES);
    }

    void add(int step) {
      add(step, sum);
    }

    void add(int step, Tensor target) {
      Distillation weights = new Distillation(1, 0, 1 + step, 0);
      device.kernels().logitDistillation(logits, null, labels(step), weights, losses, gradient);
      device.kernels().add(gradient, target);
    }

    float[] read() {
      return sum.toFloats();
    }

    @Override
    public void close() {
      logits.close();
      losses.close();
      gradient.close();
      sum.close();
    }
  }

  private static float[] eagerSum(int steps) {
    try (Device device = open();
        Sum sum = new Sum(device)) {
      for (int step = 0; step < steps; step++) {
        sum.add(step);
      }
      return sum.read();
    }
  }

  /** The host is many steps ahead of the device: no step may see the labels of a later one. */
  @ParameterizedTest
  @EnumSource(Emulation.Order.class)
  void replayedStepsSeeTheirOwnValues(Emulation.Order order) {
    float[] expected = eagerSum(20);
    Emulation.order(order);
    try (GpuDevice device = open();
        Sum sum = new Sum(device)) {
      for (int step = 0; step < 20; step++) {
        int number = step;
        device.step("sum", () -> sum.add(number));
      }
      assertArrayEquals(expected, sum.read());
      StepCounts counts = device.stepCounts();
      assertEquals(1, counts.eager());
      assertEquals(1, counts.recorded());
      assertEquals(18, counts.replayed());
      assertEquals(0, counts.mismatched());
    }
  }

  @Test
  void nothingIsEnqueuedOneByOneInAReplay() {
    try (GpuDevice device = open();
        Sum sum = new Sum(device)) {
      for (int step = 0; step < 2; step++) {
        device.step("sum", () -> sum.add(1));
      }
      sum.read();
      long before = Emulation.live(Emulation.Kind.LAUNCHES);
      device.step(
          "sum",
          () -> {
            sum.add(1);
            assertEquals(before, Emulation.live(Emulation.Kind.LAUNCHES));
          });
      sum.read();
      assertTrue(Emulation.live(Emulation.Kind.LAUNCHES) > before);
    }
  }

  @Test
  void otherTensorsUnderTheSameKeyAreNoticed() {
    try (GpuDevice device = open();
        Sum sum = new Sum(device);
        Tensor other = device.allocate(ROWS, CLASSES)) {
      for (int step = 0; step < 12; step++) {
        int number = step;
        // the first call is as recorded, the second one is not
        Tensor target = step % 4 == 3 ? other : sum.sum;
        device.step("sum", () -> sum.add(number, target));
      }
      float[] all = sum.read();
      float[] others = other.toFloats();
      try (Device plain = open();
          Sum expected = new Sum(plain);
          Tensor expectedOther = plain.allocate(ROWS, CLASSES)) {
        for (int step = 0; step < 12; step++) {
          expected.add(step, step % 4 == 3 ? expectedOther : expected.sum);
        }
        assertArrayEquals(expected.read(), all);
        assertArrayEquals(expectedOther.toFloats(), others);
      }
      StepCounts counts = device.stepCounts();
      assertTrue(counts.mismatched() > 0 && counts.replayed() > 0, counts.toString());
      assertEquals(
          12, counts.eager() + counts.recorded() + counts.replayed() + counts.mismatched());
    }
  }

  @Test
  void fewerAndMoreCallsAreNoticed() {
    float[] expected = eagerSum(1);
    try (GpuDevice device = open();
        Sum sum = new Sum(device)) {
      device.step("a", () -> sum.add(0));
      device.step("a", () -> sum.add(0));
      device.step("a", () -> {});
      device.step("b", () -> sum.add(0));
      device.step("b", () -> sum.add(0));
      device.step(
          "b",
          () -> {
            sum.add(0);
            sum.add(0);
          });
      float[] six = sum.read();
      for (int i = 0; i < six.length; i++) {
        assertEquals(6 * expected[i], six[i], 1e-6f);
      }
      assertEquals(2, device.stepCounts().mismatched());
    }
  }

  @Test
  void stepsThatTheHostTakesPartInAreDoneOneByOne() {
    try (GpuDevice device = open();
        Sum sum = new Sum(device)) {
      for (int step = 0; step < 6; step++) {
        int number = step;
        device.step(
            "read",
            () -> {
              sum.add(number);
              sum.losses.get(0);
              sum.add(number);
            });
      }
      StepCounts counts = device.stepCounts();
      assertEquals(0, counts.recorded());
      assertTrue(counts.hindrances().keySet().toString().contains("read"), counts.toString());
      try (Device plain = open();
          Sum expected = new Sum(plain)) {
        for (int step = 0; step < 6; step++) {
          expected.add(step);
          expected.add(step);
        }
        assertArrayEquals(expected.read(), sum.read());
      }
    }
  }

  /** When only a replay meets the host, what was held back happens before. */
  @Test
  void aReadInAReplaySeesWhatCameBefore() {
    try (GpuDevice device = open();
        Sum sum = new Sum(device)) {
      device.step("sum", () -> sum.add(0));
      device.step("sum", () -> sum.add(0));
      float[] two = sum.read();
      float[][] seen = new float[1][];
      device.step(
          "sum",
          () -> {
            sum.add(0);
            seen[0] = sum.read();
          });
      for (int i = 0; i < two.length; i++) {
        assertEquals(1.5f * two[i], seen[0][i], 1e-6f);
      }
      assertEquals(1, device.stepCounts().mismatched());
    }
  }

  @Test
  void aBodyThatFailsInAReplayHasDoneWhatItDid() {
    try (GpuDevice device = open();
        Sum sum = new Sum(device)) {
      Runnable body = () -> sum.add(0);
      device.step("sum", body);
      device.step("sum", body);
      IllegalStateException failure = new IllegalStateException("enough");
      assertEquals(
          failure,
          assertThrows(
              IllegalStateException.class,
              () ->
                  device.step(
                      "sum",
                      () -> {
                        sum.add(0);
                        throw failure;
                      })));
      device.step("sum", body);
      float[] four = sum.read();
      float[] one = eagerSum(1);
      for (int i = 0; i < four.length; i++) {
        assertEquals(4 * one[i], four[i], 1e-6f);
      }
    }
  }

  @Test
  void aStepWithinAStepBelongsToIt() {
    try (GpuDevice device = open();
        Sum sum = new Sum(device)) {
      for (int i = 0; i < 4; i++) {
        device.step("outer", () -> device.step("inner", () -> sum.add(0)));
      }
      assertEquals(2, device.stepCounts().replayed());
    }
  }

  /** More labels than there is room for at first, then fewer, then more: all arrive. */
  @Test
  void valuesOfAnySizeArrive() {
    try (GpuDevice device = open()) {
      for (int rows : new int[] {3, 40_000, 10, 90_000, 40_000}) {
        int[] labels = IntStream.range(0, rows).map(row -> row % 2).toArray();
        try (Tensor logits = device.allocate(rows, 2);
            Tensor losses = device.allocate(2);
            Tensor gradient = device.allocate(rows, 2)) {
          Distillation weights = new Distillation(1, 0, 1, 0);
          for (int i = 0; i < 3; i++) {
            device.step(
                rows,
                () ->
                    device
                        .kernels()
                        .logitDistillation(logits, null, labels, weights, losses, gradient));
            assertEquals(Math.log(2), losses.get(0), 1e-5);
            float[] g = gradient.toFloats();
            for (int row = 0; row < rows; row++) {
              assertEquals(labels[row] == 0 ? -0.5f / rows : 0.5f / rows, g[2 * row], 1e-9f);
            }
          }
        }
      }
    }
  }

  /**
   * Two rooms, filled in turns while the host runs ahead: every batch is added once, whatever the
   * streams do first.
   */
  @ParameterizedTest
  @EnumSource(Emulation.Order.class)
  void uploadsAreOrderedAgainstTheOperations(Emulation.Order order) {
    Emulation.order(order);
    int size = 100;
    try (GpuDevice device = open();
        Tensor sum = device.allocate(size);
        Tensor first = device.allocate(size);
        Tensor second = device.allocate(size);
        Tensor source = device.allocateHost(DType.F32, Shape.of(size));
        Upload firstWay = device.upload();
        Upload secondWay = device.upload()) {
      Tensor[] rooms = {first, second};
      Upload[] ways = {firstWay, secondWay};
      ways[0].used();
      ways[1].used();
      float[] expected = new float[size];
      for (int step = 0; step < 9; step++) {
        float[] values = numbers(size, step);
        source.segment().copyFrom(MemorySegment.ofArray(values));
        Upload way = ways[step % 2];
        Tensor room = rooms[step % 2];
        way.begin();
        way.copy(source, room);
        way.end();
        device.step(step % 2, () -> device.kernels().add(room, sum));
        way.used();
        way.await();
        // the source is free: nothing may read it now
        source.segment().fill((byte) 0xff);
        for (int i = 0; i < size; i++) {
          expected[i] += values[i];
        }
      }
      assertArrayEquals(expected, sum.toFloats());
      assertTrue(device.stepCounts().replayed() > 0);
    }
  }

  @Test
  void uploadsComeFromAnyHostMemory() {
    float[] values = numbers(10, 3);
    try (GpuDevice device = open();
        Tensor target = device.allocate(10);
        Upload way = device.upload();
        Arena arena = Arena.ofConfined()) {
      Tensor plain =
          Tensor.wrap(arena.allocateFrom(ValueLayout.JAVA_FLOAT, values), Shape.of(10), DType.F32);
      way.used();
      way.begin();
      way.copy(plain, target);
      way.end();
      assertArrayEquals(values, target.toFloats());
      assertThrows(IllegalArgumentException.class, () -> way.copy(target, target));
      assertThrows(IllegalArgumentException.class, () -> way.copy(plain, target.slice(0, 9)));
    }
  }

  @Test
  void tensorsOnTheDeviceAreReadAndWrittenByTheHost() {
    try (GpuDevice device = open();
        Tensor tensor = device.allocate(4, 3)) {
      assertThrows(IllegalStateException.class, tensor::segment);
      tensor.setFloats(numbers(12, 1));
      tensor.set(5, 42);
      assertEquals(42, tensor.get(5));
      float[] expected = numbers(12, 1);
      expected[5] = 42;
      assertArrayEquals(expected, tensor.toFloats());
      tensor.slice(3, 3).copyFrom(tensor.slice(0, 3));
      System.arraycopy(expected, 0, expected, 3, 3);
      assertArrayEquals(expected, tensor.toFloats());
      tensor.slice(6, 6).zero();
      Arrays.fill(expected, 6, 12, 0);
      assertArrayEquals(expected, tensor.toFloats());
      assertThrows(IllegalArgumentException.class, () -> tensor.get(12));
    }
  }

  /** As on a GPU whose memory is full: a graph is faster, and nothing more. */
  @Test
  void withoutAGraphAStepGoesOnOneByOne() {
    float[] expected = eagerSum(6);
    try (GpuDevice device = open();
        Sum sum = new Sum(device)) {
      Emulation.fail("cuGraphInstantiateWithFlags", 1, OUT_OF_MEMORY);
      for (int step = 0; step < 6; step++) {
        int number = step;
        device.step("sum", () -> sum.add(number));
      }
      assertArrayEquals(expected, sum.read());
      StepCounts counts = device.stepCounts();
      assertEquals(0, counts.recorded() + counts.replayed());
      assertEquals(6, counts.eager());
      assertTrue(counts.hindrances().toString().contains("no graph could be made"));
    }
  }

  /** More than is needed is asked for, so that blocks stay few, but not insisted on. */
  @Test
  void scratchTakesWhatThereIs() {
    float[] expected = eagerSum(1);
    try (GpuDevice device = open();
        Sum sum = new Sum(device)) {
      Emulation.outOfMemory(1);
      sum.add(0);
      assertArrayEquals(expected, sum.read());
    }
  }

  @Test
  void operationsThatFailLeaveNoScratchBehind() {
    int rows = 40_000;
    try (GpuDevice device = open();
        Tensor logits = device.allocate(rows, CLASSES);
        Tensor losses = device.allocate(2);
        Tensor gradient = device.allocate(rows, CLASSES)) {
      int[] none = new int[rows];
      Distillation weights = new Distillation(1, 0, 1, 0);
      long after = 0;
      for (int i = 0; i < 30; i++) {
        Emulation.fail("cuLaunchKernel", 1, OUT_OF_RESOURCES);
        assertThrows(
            CudaException.class,
            () ->
                device.kernels().logitDistillation(logits, null, none, weights, losses, gradient));
        after = i == 0 ? device.liveBytes() : after;
      }
      assertEquals(after, device.liveBytes());
    }
  }

  @Test
  void aClosedDeviceHasNothingAlive() {
    GpuDevice device = open();
    Tensor forgotten = device.allocate(7);
    Tensor pinned = device.allocateHost(DType.F32, Shape.of(9));
    device.step("once", () -> device.kernels().relu(forgotten, forgotten));
    assertTrue(device.liveBytes() >= 28);
    device.close();
    assertTrue(device.accounting().isClear(), device.accounting().toString());
    // those who hold tensors may still close them
    forgotten.close();
    pinned.close();
    device.close();
  }
}
