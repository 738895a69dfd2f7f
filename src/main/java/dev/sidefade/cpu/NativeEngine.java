package dev.sidefade.cpu;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import dev.sidefade.ort.OrtApi;
import dev.sidefade.ort.OrtLibrary;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;

/** Through the C API of ONNX Runtime: a call passes six numbers and allocates nothing. */
final class NativeEngine implements MatrixEngine {
  private static final int WARNINGS = 2;
  private static final int ARENA_ALLOCATOR = 1;
  private static final int DEFAULT_MEMORY = 0;
  private static final int FLOAT = 1;

  private final OrtLibrary library;
  private final Arena arena = Arena.ofShared();
  private final MemorySegment out = arena.allocate(ADDRESS);
  private final List<Long> sessions = new ArrayList<>();
  private final long environment;
  private final long options;
  private final long memoryInfo;

  NativeEngine(OrtLibrary library, int threads) {
    this.library = library;
    try {
      check(
          (long)
              library.createEnvironment.invokeExact(WARNINGS, arena.allocateFrom("sidefade"), out));
      environment = created();
      check((long) library.createOptions.invokeExact(out));
      options = created();
      check((long) library.setIntraOpThreads.invokeExact(options, threads));
      check((long) library.disableMemoryPattern.invokeExact(options));
      // between our own loops ONNX Runtime's threads must not hold a processor
      MemorySegment key = arena.allocateFrom("session.intra_op.allow_spinning");
      check((long) library.addConfigEntry.invokeExact(options, key, arena.allocateFrom("0")));
      check((long) library.createCpuMemoryInfo.invokeExact(ARENA_ALLOCATOR, DEFAULT_MEMORY, out));
      memoryInfo = created();
    } catch (Throwable e) {
      throw OrtApi.thrown(e);
    }
  }

  private void check(long status) {
    library.check(status, "on a matrix product");
  }

  private long created() {
    return out.get(JAVA_LONG, 0);
  }

  @Override
  public String describe() {
    return "ONNX Runtime's C API";
  }

  @Override
  public Model load(byte[] onnx, List<String> inputs, List<String> outputs) {
    try (Arena call = Arena.ofConfined()) {
      MemorySegment bytes = call.allocateFrom(java.lang.foreign.ValueLayout.JAVA_BYTE, onnx);
      check(
          (long)
              library.createSession.invokeExact(
                  environment, bytes, (long) onnx.length, options, out));
    } catch (Throwable e) {
      throw OrtApi.thrown(e);
    }
    long session = created();
    sessions.add(session);
    MemorySegment inputNames = names(inputs);
    MemorySegment outputNames = names(outputs);
    return (in, result) -> new NativeCall(session, inputNames, outputNames, in, result);
  }

  private MemorySegment names(List<String> names) {
    MemorySegment pointers = arena.allocate(ADDRESS, names.size());
    for (int i = 0; i < names.size(); i++) {
      pointers.setAtIndex(ADDRESS, i, arena.allocateFrom(names.get(i)));
    }
    return pointers;
  }

  private long tensor(Matrix m) {
    try (Arena call = Arena.ofConfined()) {
      MemorySegment dims = call.allocateFrom(JAVA_LONG, m.dims());
      check(
          (long)
              library.createTensor.invokeExact(
                  memoryInfo, m.address(), m.bytes(), dims, (long) m.dims().length, FLOAT, out));
      return created();
    } catch (Throwable e) {
      throw OrtApi.thrown(e);
    }
  }

  private final class NativeCall implements Call {
    private final Arena own = Arena.ofShared();
    private final long session;
    private final long inputNames;
    private final long outputNames;
    private final MemorySegment inputs;
    private final MemorySegment outputs;

    NativeCall(
        long session,
        MemorySegment inputNames,
        MemorySegment outputNames,
        List<Matrix> inputs,
        List<Matrix> outputs) {
      this.session = session;
      this.inputNames = inputNames.address();
      this.outputNames = outputNames.address();
      this.inputs = tensors(inputs);
      this.outputs = tensors(outputs);
    }

    private MemorySegment tensors(List<Matrix> matrices) {
      MemorySegment pointers = own.allocate(JAVA_LONG, matrices.size());
      for (int i = 0; i < matrices.size(); i++) {
        pointers.setAtIndex(JAVA_LONG, i, tensor(matrices.get(i)));
      }
      return pointers;
    }

    @Override
    public void run() {
      long status;
      try {
        status =
            (long)
                library.run.invokeExact(
                    session,
                    0L,
                    inputNames,
                    inputs.address(),
                    inputs.byteSize() / Long.BYTES,
                    outputNames,
                    outputs.byteSize() / Long.BYTES,
                    outputs.address());
      } catch (Throwable e) {
        throw OrtApi.thrown(e);
      }
      check(status);
    }

    @Override
    public void close() {
      release(inputs);
      release(outputs);
      own.close();
    }

    private void release(MemorySegment tensors) {
      for (long i = 0; i < tensors.byteSize() / Long.BYTES; i++) {
        try {
          library.releaseValue.invokeExact(tensors.getAtIndex(JAVA_LONG, i));
        } catch (Throwable e) {
          throw OrtApi.thrown(e);
        }
      }
    }
  }

  @Override
  public void close() {
    try {
      for (long session : sessions) {
        library.releaseSession.invokeExact(session);
      }
      library.releaseMemoryInfo.invokeExact(memoryInfo);
      library.releaseOptions.invokeExact(options);
      library.releaseEnvironment.invokeExact(environment);
    } catch (Throwable e) {
      throw OrtApi.thrown(e);
    }
    arena.close();
  }
}
