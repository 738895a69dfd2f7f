package dev.sidefade.ort;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.invoke.MethodHandle;
import java.util.Optional;

/**
 * The functions of ONNX Runtime's C API that make sessions and tensors and run the ones on the
 * others. The numbers are places in the table.
 */
public final class OrtLibrary {
  /** Every function here is older than ONNX Runtime 1.8. */
  private static final int OLDEST = 8;

  /** (environment level, id, out). */
  public final MethodHandle createEnvironment;

  /** (environment, model, length, options, out). */
  public final MethodHandle createSession;

  /** (session, run options, input names, inputs, count, output names, count, outputs). */
  public final MethodHandle run;

  /** (out). */
  public final MethodHandle createOptions;

  /** (options). */
  public final MethodHandle disableMemoryPattern;

  /** (options, threads). */
  public final MethodHandle setIntraOpThreads;

  /** (options, key, value). */
  public final MethodHandle addConfigEntry;

  /** (memory info, data, bytes, dims, rank, element type, out). */
  public final MethodHandle createTensor;

  /** (allocator, memory type, out). */
  public final MethodHandle createCpuMemoryInfo;

  /** (environment). */
  public final MethodHandle releaseEnvironment;

  /** (memory info). */
  public final MethodHandle releaseMemoryInfo;

  /** (session). */
  public final MethodHandle releaseSession;

  /** (value). */
  public final MethodHandle releaseValue;

  /** (options). */
  public final MethodHandle releaseOptions;

  private final OrtApi api;

  OrtLibrary(OrtApi api) {
    this.api = api;
    createEnvironment = api.function(3, JAVA_LONG, JAVA_INT, ADDRESS, ADDRESS);
    createSession = api.function(8, JAVA_LONG, JAVA_LONG, ADDRESS, JAVA_LONG, JAVA_LONG, ADDRESS);
    run =
        api.function(
            9, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG,
            JAVA_LONG, JAVA_LONG);
    createOptions = api.function(10, JAVA_LONG, ADDRESS);
    disableMemoryPattern = api.function(17, JAVA_LONG, JAVA_LONG);
    setIntraOpThreads = api.function(24, JAVA_LONG, JAVA_LONG, JAVA_INT);
    createTensor =
        api.function(
            49, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG, ADDRESS, JAVA_LONG, JAVA_INT, ADDRESS);
    createCpuMemoryInfo = api.function(69, JAVA_LONG, JAVA_INT, JAVA_INT, ADDRESS);
    releaseEnvironment = api.release(92);
    releaseMemoryInfo = api.release(94);
    releaseSession = api.release(95);
    releaseValue = api.release(96);
    releaseOptions = api.release(100);
    addConfigEntry = api.function(130, JAVA_LONG, JAVA_LONG, ADDRESS, ADDRESS);
  }

  /** The library, loaded if it was not; empty where another class loader keeps it. */
  public static Optional<OrtLibrary> find() {
    return OrtApi.search(OLDEST).api().map(OrtLibrary::new);
  }

  /** Throws what a status says, unless it is 0; see {@link OrtApi#check}. */
  public void check(long status, String doing) {
    api.check(status, doing);
  }
}
