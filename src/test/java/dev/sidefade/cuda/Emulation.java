package dev.sidefade.cuda;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.invoke.MethodHandle;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.extension.AfterEachCallback;
import org.junit.jupiter.api.extension.BeforeAllCallback;
import org.junit.jupiter.api.extension.BeforeEachCallback;
import org.junit.jupiter.api.extension.ExtensionContext;

/**
 * What the emulated driver offers beyond CUDA: failures on demand, and what it knows to be alive.
 * As an extension it skips the tests of a class where the emulated driver is not there, sets it
 * back before each test, and fails a test that leaves anything alive.
 */
final class Emulation implements BeforeAllCallback, BeforeEachCallback, AfterEachCallback {
  /** What {@link #live} counts. */
  enum Kind {
    BYTES(0),
    STREAMS(1),
    EVENTS(2),
    MODULES(3),
    GRAPHS(4),
    PINNED_BYTES(5),
    CONTEXTS(6),
    LAUNCHES(7);

    private final int number;

    Kind(int number) {
      this.number = number;
    }
  }

  /** Which work of the streams runs: all at once, only what is waited for, the newest first. */
  enum Order {
    EAGER(0),
    LAZY(1),
    REVERSE(2);

    private final int number;

    Order(int number) {
      this.number = number;
    }
  }

  private static final int WHEN_A_CONTEXT_ENDED = 100;

  @Override
  public void beforeAll(ExtensionContext context) {
    EmulatedDriver.assumeThere();
    CudaLibrary.require();
  }

  @Override
  public void beforeEach(ExtensionContext context) {
    reset();
  }

  @Override
  public void afterEach(ExtensionContext context) {
    List<String> left = left();
    reset();
    if (!left.isEmpty()) {
      throw new AssertionError("left in the driver: " + left);
    }
  }

  /** What is alive in the driver, kind by kind; empty if nothing is. */
  static List<String> left() {
    List<String> left = new ArrayList<>();
    for (Kind kind : Kind.values()) {
      if (kind != Kind.LAUNCHES && live(kind) != 0) {
        left.add(kind + " " + live(kind));
      }
    }
    return left;
  }

  /** What was alive when contexts ended since the last reset: forgotten by those who made it. */
  static List<String> forgotten() {
    List<String> left = new ArrayList<>();
    for (Kind kind : Kind.values()) {
      long count = count(WHEN_A_CONTEXT_ENDED + kind.number);
      if (kind.compareTo(Kind.PINNED_BYTES) <= 0 && count != 0) {
        left.add(kind + " " + count);
      }
    }
    return left;
  }

  static long live(Kind kind) {
    return count(kind.number);
  }

  private static long count(int what) {
    return (long) call("sidefade_emulation_live", FunctionDescriptor.of(JAVA_LONG, JAVA_INT), what);
  }

  /** The nth next call of the function (1: the very next) does nothing and returns the code. */
  static void fail(String function, long nth, int code) {
    try (Arena arena = Arena.ofConfined()) {
      call(
          "sidefade_emulation_fail",
          FunctionDescriptor.ofVoid(ADDRESS, JAVA_LONG, JAVA_INT),
          arena.allocateFrom(function),
          nth,
          code);
    }
  }

  /** The nth next allocation of device or pinned memory finds none; 0: no more failures. */
  static void outOfMemory(long nth) {
    call("sidefade_emulation_out_of_memory", FunctionDescriptor.ofVoid(JAVA_LONG), nth);
  }

  /** The nth next kernel that runs fails with this code. */
  static void failLaunch(long nth, int code) {
    call(
        "sidefade_emulation_fail_launch",
        FunctionDescriptor.ofVoid(JAVA_LONG, JAVA_INT),
        nth,
        code);
  }

  /** Every call returns the code until the context ends. */
  static void sticky(int code) {
    call("sidefade_emulation_sticky", FunctionDescriptor.ofVoid(JAVA_INT), code);
  }

  /** Every call returns the code until a reset. */
  static void loseDevice(int code) {
    call("sidefade_emulation_lose_device", FunctionDescriptor.ofVoid(JAVA_INT), code);
  }

  static void order(Order order) {
    call("sidefade_emulation_order", FunctionDescriptor.ofVoid(JAVA_INT), order.number);
  }

  /** Launches are checked and forgotten. */
  static void noop(boolean on) {
    call("sidefade_emulation_noop", FunctionDescriptor.ofVoid(JAVA_INT), on ? 1 : 0);
  }

  static void set(String setting, long value) {
    try (Arena arena = Arena.ofConfined()) {
      Object code =
          call(
              "sidefade_emulation_set",
              FunctionDescriptor.of(JAVA_INT, ADDRESS, JAVA_LONG),
              arena.allocateFrom(setting),
              value);
      if ((int) code != 0) {
        throw new AssertionError("the emulation has no setting " + setting);
      }
    }
  }

  /** As if the process had just begun, but ready for use. */
  static void reset() {
    call("sidefade_emulation_reset", FunctionDescriptor.ofVoid());
    call("cuInit", FunctionDescriptor.of(JAVA_INT, JAVA_INT), 0);
    call("cuCtxSetCurrent", FunctionDescriptor.of(JAVA_INT, ADDRESS), MemorySegment.NULL);
  }

  private static Object call(String function, FunctionDescriptor descriptor, Object... arguments) {
    MemorySegment address =
        SymbolLookup.libraryLookup("libcuda.so.1", Arena.global()).findOrThrow(function);
    MethodHandle handle = Linker.nativeLinker().downcallHandle(address, descriptor);
    try {
      return handle.invokeWithArguments(arguments);
    } catch (Throwable e) {
      throw new AssertionError(function, e);
    }
  }
}
