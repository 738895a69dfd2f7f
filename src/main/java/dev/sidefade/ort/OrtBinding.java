package dev.sidefade.ort;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.invoke.MethodHandle;
import java.util.Optional;

/**
 * The functions of ONNX Runtime's C API, beside those of {@link OrtLibrary}, that bind a session's
 * inputs and outputs to memory, and let it compute on a CUDA stream. The numbers are places in the
 * table.
 */
final class OrtBinding {
  /**
   * The functions are from ONNX Runtime 1.16 and before, but not all of the CUDA provider's options
   * that are set.
   */
  static final int OLDEST = 20;

  /** (environment, path, options, out). */
  final MethodHandle createSessionOfFile;

  /** (options, level). */
  final MethodHandle setLogLevel;

  /** (options, threads). */
  final MethodHandle setInterOpThreads;

  /** (out). */
  final MethodHandle createRunOptions;

  /** (name, allocator, device, memory type, out). */
  final MethodHandle createMemoryInfo;

  final MethodHandle releaseRunOptions;

  /** (session, run options, binding). */
  final MethodHandle run;

  /** (session, out). */
  final MethodHandle create;

  final MethodHandle release;

  /** (binding, name, value). */
  final MethodHandle bindInput;

  /** (binding, name, value). */
  final MethodHandle bindOutput;

  /** (run options, key, value). */
  final MethodHandle addRunConfigEntry;

  /** (binding). */
  final MethodHandle synchronizeInputs;

  /** (binding). */
  final MethodHandle synchronizeOutputs;

  /** (options, CUDA options). */
  final MethodHandle appendCuda;

  /** (out). */
  final MethodHandle createCudaOptions;

  /** (CUDA options, keys, values, count). */
  final MethodHandle updateCudaOptions;

  final MethodHandle releaseCudaOptions;

  /** (CUDA options, key, pointer). */
  final MethodHandle setCudaPointer;

  final OrtApi api;
  final OrtLibrary library;

  private OrtBinding(OrtApi api) {
    this.api = api;
    library = new OrtLibrary(api);
    createSessionOfFile = api.function(7, JAVA_LONG, JAVA_LONG, ADDRESS, JAVA_LONG, ADDRESS);
    setLogLevel = api.function(22, JAVA_LONG, JAVA_LONG, JAVA_INT);
    setInterOpThreads = api.function(25, JAVA_LONG, JAVA_LONG, JAVA_INT);
    createRunOptions = api.function(39, JAVA_LONG, ADDRESS);
    createMemoryInfo = api.function(68, JAVA_LONG, ADDRESS, JAVA_INT, JAVA_INT, JAVA_INT, ADDRESS);
    releaseRunOptions = api.release(97);
    run = api.function(133, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG);
    create = api.function(134, JAVA_LONG, JAVA_LONG, ADDRESS);
    release = api.release(135);
    bindInput = api.function(136, JAVA_LONG, JAVA_LONG, ADDRESS, JAVA_LONG);
    bindOutput = api.function(137, JAVA_LONG, JAVA_LONG, ADDRESS, JAVA_LONG);
    addRunConfigEntry = api.function(165, JAVA_LONG, JAVA_LONG, ADDRESS, ADDRESS);
    synchronizeInputs = api.function(202, JAVA_LONG, JAVA_LONG);
    synchronizeOutputs = api.function(203, JAVA_LONG, JAVA_LONG);
    appendCuda = api.function(204, JAVA_LONG, JAVA_LONG, JAVA_LONG);
    createCudaOptions = api.function(205, JAVA_LONG, ADDRESS);
    updateCudaOptions = api.function(206, JAVA_LONG, JAVA_LONG, ADDRESS, ADDRESS, JAVA_LONG);
    releaseCudaOptions = api.release(208);
    setCudaPointer = api.function(263, JAVA_LONG, JAVA_LONG, ADDRESS, JAVA_LONG);
  }

  /** Why sessions cannot be bound here; empty where they can. */
  static Optional<String> unavailable() {
    return OrtApi.search(OLDEST).missing();
  }

  /**
   * The functions.
   *
   * @throws IllegalStateException where they are out of reach, with the reason
   */
  static OrtBinding require() {
    OrtApi.Search search = OrtApi.search(OLDEST);
    return search
        .api()
        .map(OrtBinding::new)
        .orElseThrow(() -> new IllegalStateException(search.missing().orElseThrow()));
  }
}
