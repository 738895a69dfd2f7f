package dev.sidefade.ort;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import java.util.ArrayDeque;
import java.util.Deque;

/** What ONNX Runtime made, given back the latest first, and native memory that lives as long. */
final class Owned implements AutoCloseable {
  /** Level of what the environment logs. */
  private static final int WARNINGS = 2;

  /** For texts and lists that ONNX Runtime reads. */
  final Arena arena = Arena.ofShared();

  /** Where ONNX Runtime puts the handle of what it makes. */
  final MemorySegment out = arena.allocate(ADDRESS);

  private final OrtApi api;
  private final Deque<Made> made = new ArrayDeque<>();

  private record Made(MethodHandle release, long handle) {}

  Owned(OrtApi api) {
    this.api = api;
  }

  /** Throws what a status says, unless it is 0. */
  void check(long status) {
    api.check(status, "on a backbone");
  }

  /** ONNX Runtime's one environment, which lives at least as long as this. */
  long environment(OrtLibrary library) throws Throwable {
    MemorySegment id = arena.allocateFrom("sidefade");
    check((long) library.createEnvironment.invokeExact(WARNINGS, id, out));
    return take(library.releaseEnvironment);
  }

  /** Takes what a call that succeeded has put into {@link #out}. */
  long take(MethodHandle release) {
    long handle = out.get(JAVA_LONG, 0);
    made.push(new Made(release, handle));
    return handle;
  }

  /** Gives the latest back. */
  void giveBackLatest() {
    Made latest = made.pop();
    release(latest.release(), latest.handle());
  }

  static void release(MethodHandle release, long handle) {
    try {
      release.invokeExact(handle);
    } catch (Throwable e) {
      throw OrtApi.thrown(e);
    }
  }

  boolean isOpen() {
    return arena.scope().isAlive();
  }

  @Override
  public void close() {
    while (!made.isEmpty()) {
      giveBackLatest();
    }
    arena.close();
  }
}
