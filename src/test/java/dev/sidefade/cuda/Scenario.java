package dev.sidefade.cuda;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;

import java.lang.foreign.MemorySegment;
import java.util.Arrays;

/** A little of everything that the driver layer offers, with one result that can be checked. */
final class Scenario {
  /** Elements of a vector: odd, and more than one block. */
  static final int COUNT = 2_500;

  private static final long BYTES = 4L * COUNT;

  private Scenario() {}

  /** Opens a context, uses everything once, and closes it all. */
  static void run() {
    try (CudaContext context = CudaContext.open(CudaDevice.get(0))) {
      run(context);
    }
  }

  private static void run(CudaContext context) {
    try (CudaStream compute = CudaStream.create(context);
        CudaStream copies = CudaStream.create(context);
        CudaEvent uploaded = CudaEvent.createTiming(context);
        CudaEvent done = CudaEvent.createTiming(context);
        PinnedBuffer pinned = PinnedBuffer.allocate(context, BYTES);
        DeviceBuffer x = DeviceBuffer.allocate(context, BYTES);
        MemoryPool pool = MemoryPool.create(context, 1 << 20);
        DeviceBuffer y = pool.allocate(compute, BYTES);
        CudaModule module = CudaModule.load(context, "elementwise")) {
      CudaKernel add = module.kernel("add");
      add.allowShared(100_000);
      MemorySegment host = pinned.segment();
      for (int i = 0; i < COUNT; i++) {
        host.setAtIndex(JAVA_FLOAT, i, i);
      }
      copies.upload(pinned, 0, x.address(), BYTES);
      uploaded.record(copies);
      compute.waitFor(uploaded);
      compute.zero(y.address(), BYTES);
      launchAdd(add, compute, x.address(), y.address());
      try (CudaGraph graph =
          CudaGraph.capture(compute, () -> launchAdd(add, compute, x.address(), y.address()))) {
        graph.launch(compute);
        graph.update(compute, () -> launchAdd(add, compute, x.address(), y.address()));
        graph.launch(compute);
      }
      done.record(compute);
      compute.download(y.address(), pinned, 0, BYTES);
      compute.synchronize();
      if (done.millisecondsSince(uploaded) < 0) {
        throw new AssertionError("time runs backwards");
      }
      expect(host, 3f);
      product(compute, x, y, context);
      context.synchronize();
      pool.trim();
      if (pool.stats().used() != BYTES || context.memory().freeBytes() <= 0) {
        throw new AssertionError(pool.stats().toString());
      }
    }
  }

  /** y = x x' in place of y's beginning, for x a column. */
  private static void product(
      CudaStream stream, DeviceBuffer x, DeviceBuffer y, CudaContext context) {
    try (Cublas cublas = Cublas.create(stream);
        PinnedBuffer out = PinnedBuffer.allocate(context, 4 * 49)) {
      cublas.gemm(x.address(), false, x.address(), true, y.address(), 7, 7, 1, 0);
      stream.download(y.address(), out.segment());
      for (int i = 0; i < 49; i++) {
        if (out.segment().getAtIndex(JAVA_FLOAT, i) != (i / 7) * (i % 7)) {
          throw new AssertionError("product at " + i);
        }
      }
    }
  }

  static void launchAdd(CudaKernel add, CudaStream stream, long x, long y) {
    add.set(0, x);
    add.set(1, y);
    add.set(2, (long) COUNT);
    add.launch(stream, (COUNT + 1023) / 1024, 1, 1, 256, 0);
  }

  static void expect(MemorySegment got, float times) {
    float[] expected = new float[COUNT];
    for (int i = 0; i < COUNT; i++) {
      expected[i] = times * i;
    }
    if (!Arrays.equals(expected, got.toArray(JAVA_FLOAT))) {
      throw new AssertionError(Arrays.toString(got.asSlice(0, 40).toArray(JAVA_FLOAT)));
    }
  }
}
