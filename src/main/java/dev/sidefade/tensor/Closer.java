package dev.sidefade.tensor;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.function.Supplier;

/**
 * What somebody owns, closed together, the last first: at the end, or when a constructor fails
 * half-way. Used by one thread at a time.
 */
public final class Closer implements AutoCloseable {
  private final Deque<AutoCloseable> open = new ArrayDeque<>();

  /** Owns nothing yet. */
  public Closer() {}

  /**
   * Takes a resource over.
   *
   * @param <T> type of the resource
   * @param resource to be closed with the others
   * @return the resource
   */
  public <T extends AutoCloseable> T add(T resource) {
    open.push(resource);
    return resource;
  }

  /**
   * Takes over what is made. When that fails everything else is closed, for a constructor that
   * cannot make one of its parts fails too.
   *
   * @param <T> type of the resource
   * @param maker makes what is to be closed with the others
   * @return the resource
   */
  public <T extends AutoCloseable> T make(Supplier<T> maker) {
    try {
      return add(maker.get());
    } catch (RuntimeException | Error e) {
      closeAfter(e);
      throw e;
    }
  }

  /**
   * Closes everything because of a failure that the caller throws. What fails in turn is added to
   * it as suppressed.
   *
   * @param failure why nothing of this is needed any more
   */
  public void closeAfter(Throwable failure) {
    try {
      close();
    } catch (RuntimeException e) {
      failure.addSuppressed(e);
    }
  }

  /**
   * Closes everything, once.
   *
   * @throws IllegalStateException if something could not be closed; everything else was
   */
  @Override
  public void close() {
    RuntimeException failure = null;
    while (!open.isEmpty()) {
      try {
        open.pop().close();
      } catch (Exception e) {
        if (failure == null) {
          failure = new IllegalStateException("a resource could not be closed", e);
        } else {
          failure.addSuppressed(e);
        }
      }
    }
    if (failure != null) {
      throw failure;
    }
  }
}
