package dev.sidefade.ort;

import static java.lang.foreign.ValueLayout.JAVA_LONG;

import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import java.lang.invoke.MethodHandle;
import java.util.concurrent.locks.ReentrantLock;

/**
 * One arena of host memory for several sessions that run one after another: what the one gives back
 * the next one takes, without asking the system. Sessions that are opened with {@link #useIn}
 * before this is closed keep the arena, and it goes with the last of them.
 *
 * <p>ONNX Runtime knows one such arena at a time in a process, so others wait to open theirs, and
 * whoever opens must close in the same thread.
 */
public final class SharedArena implements AutoCloseable {
  /** The functions are from ONNX Runtime 1.9. */
  private static final int OLDEST = 9;

  private static final ReentrantLock ONE_AT_A_TIME = new ReentrantLock();

  /** Places in the table of functions. */
  private static final int REGISTER = 144;

  private static final int UNREGISTER = 177;
  private static final int ARENA_ALLOCATOR = 1;
  private static final int DEFAULT_MEMORY = 0;

  private final Runnable takeBack;
  private final boolean present;

  private SharedArena(boolean present, Runnable takeBack) {
    this.present = present;
    this.takeBack = takeBack;
  }

  /**
   * Opens an arena; one that is not {@link #isPresent} where the C API is out of reach or somebody
   * else has registered an arena with ONNX Runtime.
   */
  public static SharedArena open() {
    ONE_AT_A_TIME.lock();
    try {
      return OrtApi.search(OLDEST)
          .api()
          .filter(api -> ONE_AT_A_TIME.getHoldCount() == 1)
          .map(SharedArena::registered)
          .orElseGet(() -> new SharedArena(false, () -> {}));
    } catch (RuntimeException | Error e) {
      ONE_AT_A_TIME.unlock();
      throw e;
    }
  }

  private static SharedArena registered(OrtApi api) {
    OrtLibrary library = new OrtLibrary(api);
    MethodHandle register = api.function(REGISTER, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG);
    MethodHandle unregister = api.function(UNREGISTER, JAVA_LONG, JAVA_LONG, JAVA_LONG);
    Owned owned = new Owned(api);
    try {
      long environment = owned.environment(library);
      owned.check(
          (long)
              library.createCpuMemoryInfo.invokeExact(ARENA_ALLOCATOR, DEFAULT_MEMORY, owned.out));
      long memory = owned.take(library.releaseMemoryInfo);
      owned.check((long) register.invokeExact(environment, memory, 0L));
      return new SharedArena(
          true, () -> takeBack(owned, () -> (long) unregister.invokeExact(environment, memory)));
    } catch (OrtFailure e) {
      owned.close();
      return new SharedArena(false, () -> {});
    } catch (Throwable e) {
      owned.close();
      throw OrtApi.thrown(e);
    }
  }

  private interface Call {
    long status() throws Throwable;
  }

  private static void takeBack(Owned owned, Call unregister) {
    try (owned) {
      owned.check(unregister.status());
    } catch (Throwable e) {
      throw OrtApi.thrown(e);
    }
  }

  /** {@return whether there is one} */
  public boolean isPresent() {
    return present;
  }

  /**
   * Lets the sessions that are opened with some options before this is closed use the arena, if
   * there is one.
   *
   * @param options changed
   */
  public void useIn(OrtSession.SessionOptions options) throws OrtException {
    if (present) {
      options.addConfigEntry("session.use_env_allocators", "1");
    }
  }

  /** Sessions that were opened keep the arena. */
  @Override
  public void close() {
    try {
      takeBack.run();
    } finally {
      ONE_AT_A_TIME.unlock();
    }
  }
}
