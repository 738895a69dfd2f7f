package dev.sidefade.cpu;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import ai.onnxruntime.OrtEnvironment;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.invoke.MethodHandle;
import java.util.Optional;

/**
 * The functions of ONNX Runtime's C API that a matrix product needs, of the library that its Java
 * API has loaded. Places in the table of functions are fixed for ever by the ABI: functions are
 * only added behind the last (onnxruntime_c_api.h). Pointers travel as {@code long}.
 */
final class OrtLibrary {
  /** Version of the table that is asked for: every function below is older (ONNX Runtime 1.8). */
  private static final int API_VERSION = 8;

  private static final long TABLE_BYTES = 160 * ADDRESS.byteSize();

  final MethodHandle errorMessage;
  final MethodHandle createEnvironment;
  final MethodHandle createSession;
  final MethodHandle run;
  final MethodHandle createOptions;
  final MethodHandle disableMemoryPattern;
  final MethodHandle setIntraOpThreads;
  final MethodHandle addConfigEntry;
  final MethodHandle createTensor;
  final MethodHandle createCpuMemoryInfo;
  final MethodHandle releaseEnvironment;
  final MethodHandle releaseStatus;
  final MethodHandle releaseMemoryInfo;
  final MethodHandle releaseSession;
  final MethodHandle releaseValue;
  final MethodHandle releaseOptions;

  private final MemorySegment table;

  private OrtLibrary(MemorySegment table) {
    this.table = table;
    errorMessage = function(2, JAVA_LONG, JAVA_LONG);
    // level, id, out
    createEnvironment = function(3, JAVA_LONG, JAVA_INT, ADDRESS, ADDRESS);
    // environment, model, length, options, out
    createSession = function(8, JAVA_LONG, JAVA_LONG, ADDRESS, JAVA_LONG, JAVA_LONG, ADDRESS);
    // session, run options, input names, inputs, count, output names, count, outputs
    run =
        function(
            9, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG,
            JAVA_LONG, JAVA_LONG);
    createOptions = function(10, JAVA_LONG, ADDRESS);
    disableMemoryPattern = function(17, JAVA_LONG, JAVA_LONG);
    setIntraOpThreads = function(24, JAVA_LONG, JAVA_LONG, JAVA_INT);
    // memory info, data, bytes, dims, rank, element type, out
    createTensor =
        function(
            49, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG, ADDRESS, JAVA_LONG, JAVA_INT, ADDRESS);
    createCpuMemoryInfo = function(69, JAVA_LONG, JAVA_INT, JAVA_INT, ADDRESS);
    releaseEnvironment = release(92);
    releaseStatus = release(93);
    releaseMemoryInfo = release(94);
    releaseSession = release(95);
    releaseValue = release(96);
    releaseOptions = release(100);
    addConfigEntry = function(130, JAVA_LONG, JAVA_LONG, ADDRESS, ADDRESS);
  }

  /** The library, loaded if it was not; empty where another class loader keeps it. */
  static Optional<OrtLibrary> find() {
    OrtEnvironment.getEnvironment();
    return SymbolLookup.loaderLookup().find("OrtGetApiBase").flatMap(OrtLibrary::table);
  }

  private static Optional<OrtLibrary> table(MemorySegment getApiBase) {
    Linker linker = Linker.nativeLinker();
    MethodHandle base = linker.downcallHandle(getApiBase, FunctionDescriptor.of(ADDRESS));
    try {
      MemorySegment functions =
          ((MemorySegment) base.invokeExact()).reinterpret(2 * ADDRESS.byteSize());
      MethodHandle getApi =
          linker.downcallHandle(
              functions.get(ADDRESS, 0), FunctionDescriptor.of(ADDRESS, JAVA_INT));
      MemorySegment found = (MemorySegment) getApi.invokeExact(API_VERSION);
      return found.address() == 0
          ? Optional.empty()
          : Optional.of(new OrtLibrary(found.reinterpret(TABLE_BYTES)));
    } catch (Throwable e) {
      throw thrown(e);
    }
  }

  private MethodHandle function(int place, MemoryLayout result, MemoryLayout... arguments) {
    return Linker.nativeLinker()
        .downcallHandle(table.getAtIndex(ADDRESS, place), FunctionDescriptor.of(result, arguments));
  }

  private MethodHandle release(int place) {
    return Linker.nativeLinker()
        .downcallHandle(table.getAtIndex(ADDRESS, place), FunctionDescriptor.ofVoid(JAVA_LONG));
  }

  /** Throws what a status says, unless it is 0: success. */
  void check(long status) {
    if (status == 0) {
      return;
    }
    try {
      long message = (long) errorMessage.invokeExact(status);
      String text = MemorySegment.ofAddress(message).reinterpret(Long.MAX_VALUE).getString(0);
      releaseStatus.invokeExact(status);
      throw new IllegalStateException("ONNX Runtime failed on a matrix product: " + text);
    } catch (Throwable e) {
      throw thrown(e);
    }
  }

  /** A downcall itself throws nothing that is checked. */
  static RuntimeException thrown(Throwable e) {
    if (e instanceof Error error) {
      throw error;
    }
    return e instanceof RuntimeException r ? r : new IllegalStateException(e);
  }
}
