package dev.sidefade.cpu;

import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.LockSupport;

/**
 * A fixed team of threads for loops of a few microseconds. The caller works too. Tasks are handed
 * out in order, so which thread runs a task is not fixed: a task's result must depend on its number
 * alone.
 */
final class Workers implements AutoCloseable {
  /** Body of a loop; {@code worker} below {@link #count()} names the thread, for scratch memory. */
  @FunctionalInterface
  interface Body {
    void run(int task, int worker);
  }

  private static final int SPINS = 1000;

  private final Thread[] helpers;
  private final AtomicInteger next = new AtomicInteger();
  private final AtomicInteger running = new AtomicInteger();
  private final AtomicReference<Throwable> failure = new AtomicReference<>();

  /**
   * Number of the present loop; only {@link #run} writes it, and one thread at a time calls that.
   */
  private volatile int round;

  private volatile boolean closed;
  private Body body;
  private int tasks;

  Workers(int threads) {
    helpers = new Thread[threads - 1];
    for (int i = 0; i < helpers.length; i++) {
      int worker = i + 1;
      helpers[i] =
          Thread.ofPlatform().daemon().name("sidefade-cpu-" + worker).start(() -> help(worker));
    }
  }

  /** Number of threads, the caller included. */
  int count() {
    return helpers.length + 1;
  }

  /**
   * Runs tasks 0 .. tasks - 1 and returns when all are done; the first exception is thrown here.
   */
  @SuppressWarnings("NonAtomicVolatileUpdate") // one writer
  void run(int tasks, Body body) {
    if (tasks <= 1 || helpers.length == 0) {
      for (int i = 0; i < tasks; i++) {
        body.run(i, 0);
      }
      return;
    }
    this.body = body;
    this.tasks = tasks;
    next.set(0);
    running.set(helpers.length);
    round = round + 1;
    for (Thread helper : helpers) {
      LockSupport.unpark(helper);
    }
    work(body, tasks, 0);
    while (running.get() > 0) {
      Thread.onSpinWait();
    }
    this.body = null;
    Throwable thrown = failure.getAndSet(null);
    if (thrown instanceof RuntimeException e) {
      throw e;
    }
    if (thrown instanceof Error e) {
      throw e;
    }
  }

  private void work(Body work, int count, int worker) {
    try {
      for (int i = next.getAndIncrement(); i < count; i = next.getAndIncrement()) {
        work.run(i, worker);
      }
    } catch (RuntimeException | Error e) {
      failure.compareAndSet(null, e);
    }
  }

  private void help(int worker) {
    int seen = 0;
    while (true) {
      int spins = 0;
      while (round == seen && !closed) {
        if (spins++ < SPINS) {
          Thread.onSpinWait();
        } else {
          LockSupport.park(this);
        }
      }
      if (closed) {
        return;
      }
      seen = round;
      work(body, tasks, worker);
      running.decrementAndGet();
    }
  }

  @Override
  public void close() {
    closed = true;
    for (Thread helper : helpers) {
      LockSupport.unpark(helper);
    }
  }
}
