package dev.sidefade.ort;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtProvider;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Locale;
import java.util.Optional;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;

/**
 * The places in ONNX Runtime's table hold the functions that they are taken for: each is told by
 * what it does, or by what it says when it is asked for something wrong.
 */
class OrtBindingTest {
  private final OrtBinding ort = OrtBinding.require();

  private interface Call {
    long status() throws Throwable;
  }

  private void works(Call call) {
    try {
      ort.api.check(call.status(), "in a test");
    } catch (Throwable e) {
      throw OrtApi.thrown(e);
    }
  }

  private void refused(Call call, String part) {
    OrtFailure failure = assertThrows(OrtFailure.class, () -> works(call));
    String reason = failure.reason().toLowerCase(Locale.ROOT);
    assertTrue(reason.contains(part), reason);
    assertTrue(failure.getMessage().startsWith("ONNX Runtime failed in a test: "));
  }

  @Test
  void theLibraryIsTheOneOfTheJavaApi() {
    assertEquals(Optional.empty(), OrtBinding.unavailable());
    assertEquals(OrtEnvironment.getEnvironment().getVersion(), ort.api.version());
  }

  @Test
  void anOlderLibraryThanNeededIsAReason() {
    OrtApi.Search search = OrtApi.search(9999);
    assertEquals(Optional.empty(), search.api());
    String reason = search.missing().orElseThrow();
    assertEquals("ONNX Runtime " + ort.api.version() + " is too old, 1.9999 is needed", reason);
  }

  @Test
  void memoryIsToldByItsName() {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment out = arena.allocate(ADDRESS);
      MemorySegment cpu = arena.allocateFrom("Cpu");
      works(() -> (long) ort.createMemoryInfo.invokeExact(cpu, 0, 0, 0, out));
      release(ort.library.releaseMemoryInfo, out);
      // known to every build: only computing there needs the provider
      MemorySegment cuda = arena.allocateFrom("Cuda");
      works(() -> (long) ort.createMemoryInfo.invokeExact(cuda, 0, 1, 0, out));
      release(ort.library.releaseMemoryInfo, out);
      MemorySegment none = arena.allocateFrom("Abacus");
      refused(() -> (long) ort.createMemoryInfo.invokeExact(none, 0, 0, 0, out), "device");
    }
  }

  @Test
  void settingsAreCheckedByTheirFunctions() {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment out = arena.allocate(ADDRESS);
      MemorySegment empty = arena.allocateFrom("");
      MemorySegment value = arena.allocateFrom("1");
      works(() -> (long) ort.createRunOptions.invokeExact(out));
      long runOptions = out.get(JAVA_LONG, 0);
      assertNotEquals(0, runOptions);
      refused(
          () -> (long) ort.addRunConfigEntry.invokeExact(runOptions, empty, value), "config key");
      MemorySegment key = arena.allocateFrom("disable_synchronize_execution_providers");
      works(() -> (long) ort.addRunConfigEntry.invokeExact(runOptions, key, value));
      release(ort.releaseRunOptions, out);

      works(() -> (long) ort.library.createOptions.invokeExact(out));
      long options = out.get(JAVA_LONG, 0);
      works(() -> (long) ort.setLogLevel.invokeExact(options, 3));
      works(() -> (long) ort.setInterOpThreads.invokeExact(options, 1));
      refused(
          () -> (long) ort.library.addConfigEntry.invokeExact(options, empty, value), "config key");
      release(ort.library.releaseOptions, out);
    }
  }

  @Test
  void cudaIsNamedByWhatNeedsIt() {
    Assumptions.assumeFalse(
        OrtEnvironment.getAvailableProviders().contains(OrtProvider.CUDA),
        "this ONNX Runtime has a CUDA provider");
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment out = arena.allocate(ADDRESS);
      refused(() -> (long) ort.createCudaOptions.invokeExact(out), "cuda");
      refused(() -> (long) ort.appendCuda.invokeExact(0L, 0L), "cuda");
      MemorySegment key = arena.allocateFrom("user_compute_stream");
      refused(() -> (long) ort.setCudaPointer.invokeExact(0L, key, 0L), "cuda");
      MemorySegment keys = arena.allocate(ADDRESS);
      keys.set(ADDRESS, 0, key);
      refused(() -> (long) ort.updateCudaOptions.invokeExact(0L, keys, keys, 1L), "cuda");
    }
  }

  private static void release(java.lang.invoke.MethodHandle release, MemorySegment out) {
    try {
      release.invokeExact(out.get(JAVA_LONG, 0));
    } catch (Throwable e) {
      throw OrtApi.thrown(e);
    }
  }
}
