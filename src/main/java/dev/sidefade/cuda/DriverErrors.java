package dev.sidefade.cuda;

import static java.lang.foreign.ValueLayout.ADDRESS;

import dev.sidefade.cuda.ffi.CudaDriver;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Set;

/** The driver's error codes: their names and texts, and which of them lose the context. */
final class DriverErrors {
  /**
   * After one of these every call in the context fails: the driver shutting down (4), a device gone
   * (46, 911) or with broken memory or links (214, 220, 226), a kernel that touched what it must
   * not, ran too long or failed an assertion (700, 702, 710, 714 to 719, 721), a context destroyed
   * by somebody else (709).
   */
  private static final Set<Integer> STICKY =
      Set.of(4, 46, 214, 220, 226, 700, 702, 709, 710, 714, 715, 716, 717, 718, 719, 721, 911);

  private DriverErrors() {}

  static boolean sticky(int code) {
    return STICKY.contains(code);
  }

  /** For example CUDA_ERROR_OUT_OF_MEMORY. */
  static String name(int code) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment out = arena.allocate(ADDRESS);
      return CudaDriver.cuGetErrorName(code, out) == CudaDriver.CUDA_SUCCESS()
          ? string(out.get(ADDRESS, 0))
          : "CUDA_ERROR_" + code;
    }
  }

  /** The driver's own sentence about a code. */
  static String text(int code) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment out = arena.allocate(ADDRESS);
      return CudaDriver.cuGetErrorString(code, out) == CudaDriver.CUDA_SUCCESS()
          ? string(out.get(ADDRESS, 0))
          : "a code that this driver does not know";
    }
  }

  /** For calls that belong to no context. */
  static void check(int code, String call, String detail) {
    if (code != CudaDriver.CUDA_SUCCESS()) {
      throw exception(code, call, detail);
    }
  }

  static CudaException exception(int code, String call, String detail) {
    String said = text(code);
    return new CudaException(
        code, name(code), call, detail.isEmpty() ? said : said + "; " + detail);
  }

  private static String string(MemorySegment text) {
    return text.address() == 0 ? "no text" : text.reinterpret(Long.MAX_VALUE).getString(0);
  }
}
