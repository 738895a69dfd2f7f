package dev.sidefade.ort;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.invoke.MethodHandle;
import java.util.Optional;

/**
 * The table of functions of ONNX Runtime's C API ({@code OrtApi} in onnxruntime_c_api.h), of the
 * library that its Java API has loaded. Places in it are fixed for ever by the ABI: functions are
 * only added behind the last. Pointers that ONNX Runtime hands out travel as {@code long}.
 */
public final class OrtApi {
  /** Behind the last place that is used here. */
  private static final int PLACES = 264;

  private static final int ERROR_MESSAGE = 2;
  private static final int RELEASE_STATUS = 93;

  private final MemorySegment table;
  private final String version;
  private final MethodHandle errorMessage;
  private final MethodHandle releaseStatus;

  private OrtApi(MemorySegment table, String version) {
    this.table = table;
    this.version = version;
    errorMessage = function(ERROR_MESSAGE, JAVA_LONG, JAVA_LONG);
    releaseStatus = release(RELEASE_STATUS);
  }

  /**
   * The table, or why there is none.
   *
   * @param api the table, if it is there
   * @param missing a reason in words, if it is not
   */
  record Search(Optional<OrtApi> api, Optional<String> missing) {}

  /**
   * Looks for the table of an ONNX Runtime that is 1.{@code minor} or newer, and loads the library
   * if it was not. Places that were added later than that version must not be used.
   */
  static Search search(int minor) {
    OneEnvironment.get();
    Optional<MemorySegment> base = SymbolLookup.loaderLookup().find("OrtGetApiBase");
    return base.isPresent()
        ? table(base.get(), minor)
        : new Search(
            Optional.empty(),
            Optional.of(
                "ONNX Runtime was loaded by another class loader, so its C API is out of reach"));
  }

  private static Search table(MemorySegment getApiBase, int minor) {
    Linker linker = Linker.nativeLinker();
    MethodHandle base = linker.downcallHandle(getApiBase, FunctionDescriptor.of(ADDRESS));
    try {
      MemorySegment functions =
          ((MemorySegment) base.invokeExact()).reinterpret(2 * ADDRESS.byteSize());
      MethodHandle getApi =
          linker.downcallHandle(
              functions.get(ADDRESS, 0), FunctionDescriptor.of(ADDRESS, JAVA_INT));
      MethodHandle getVersion =
          linker.downcallHandle(functions.getAtIndex(ADDRESS, 1), FunctionDescriptor.of(JAVA_LONG));
      String version = text((long) getVersion.invokeExact());
      MemorySegment found = (MemorySegment) getApi.invokeExact(minor);
      if (found.address() == 0) {
        String reason = "ONNX Runtime " + version + " is too old, 1." + minor + " is needed";
        return new Search(Optional.empty(), Optional.of(reason));
      }
      MemorySegment table = found.reinterpret(PLACES * ADDRESS.byteSize());
      return new Search(Optional.of(new OrtApi(table, version)), Optional.empty());
    } catch (Throwable e) {
      throw thrown(e);
    }
  }

  private static String text(long address) {
    return MemorySegment.ofAddress(address).reinterpret(Long.MAX_VALUE).getString(0);
  }

  /** The library's version: "1.29.0". */
  String version() {
    return version;
  }

  /** The function at a place. */
  MethodHandle function(int place, MemoryLayout result, MemoryLayout... arguments) {
    return Linker.nativeLinker()
        .downcallHandle(table.getAtIndex(ADDRESS, place), FunctionDescriptor.of(result, arguments));
  }

  /** The function at a place that gives something back and returns nothing. */
  MethodHandle release(int place) {
    return Linker.nativeLinker()
        .downcallHandle(table.getAtIndex(ADDRESS, place), FunctionDescriptor.ofVoid(JAVA_LONG));
  }

  /**
   * Throws what a status says, unless it is 0: success.
   *
   * @param doing for the message: "on a matrix product"
   * @throws OrtFailure with what the status says
   */
  public void check(long status, String doing) {
    if (status == 0) {
      return;
    }
    try {
      String reason = text((long) errorMessage.invokeExact(status));
      releaseStatus.invokeExact(status);
      throw new OrtFailure(doing, reason);
    } catch (Throwable e) {
      throw thrown(e);
    }
  }

  /** A downcall itself throws nothing that is checked. */
  public static RuntimeException thrown(Throwable e) {
    if (e instanceof Error error) {
      throw error;
    }
    return e instanceof RuntimeException r ? r : new IllegalStateException(e);
  }
}
