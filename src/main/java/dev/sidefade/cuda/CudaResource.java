package dev.sidefade.cuda;

import org.jspecify.annotations.Nullable;

/**
 * Something native that lives in a context until it is closed. Closing twice is harmless; use after
 * close is an {@link IllegalStateException}.
 */
public abstract sealed class CudaResource implements AutoCloseable
    permits CudaStream,
        CudaEvent,
        CudaModule,
        CudaGraph,
        DeviceBuffer,
        PinnedBuffer,
        MemoryPool,
        Cublas {

  /** What accounting counts. */
  enum Kind {
    DEVICE_BUFFER,
    PINNED_BUFFER,
    STREAM,
    FOREIGN_STREAM,
    EVENT,
    MODULE,
    GRAPH,
    POOL,
    CUBLAS
  }

  private final CudaContext context;
  private final Kind kind;
  private final long bytes;
  private final @Nullable Throwable made;
  private @Nullable Throwable ended;
  private boolean closed;

  /** Called when the native thing exists, so that a failed creation is never counted. */
  CudaResource(CudaContext context, Kind kind, long bytes) {
    this.context = context;
    this.kind = kind;
    this.bytes = bytes;
    this.made = context.trace("made here");
    context.remember(this);
  }

  /** {@return the context that it lives in} */
  public final CudaContext context() {
    return context;
  }

  /** {@return whether it was not closed yet} */
  public final boolean isOpen() {
    return !closed;
  }

  final Kind kind() {
    return kind;
  }

  final long countedBytes() {
    return bytes;
  }

  /** Where it was made, or null where that is not tracked. */
  final @Nullable Throwable made() {
    return made;
  }

  /**
   * To be called at the door of every use.
   *
   * @throws IllegalStateException if this or its context is closed
   * @throws WrongThreadException if another thread has the context
   * @throws CudaException if the context was lost
   */
  final void requireUsable() {
    context.requireUsable();
    if (closed) {
      throw closedException();
    }
  }

  private IllegalStateException closedException() {
    IllegalStateException e =
        new IllegalStateException(
            this
                + " is closed"
                + (ended == null
                    ? "; run with -D" + CudaAccounting.TRACK_PROPERTY + "=true to see where"
                    : ""),
            ended);
    if (made != null) {
      e.addSuppressed(made);
    }
    return e;
  }

  /**
   * Gives the native thing back.
   *
   * @throws WrongThreadException if another thread has the context; the resource stays open
   */
  @Override
  public final void close() {
    if (closed) {
      return;
    }
    context.requireThread();
    closed = true;
    ended = context.trace("closed here");
    context.forget(this);
    release();
  }

  /** Called once, by a thread that may. */
  abstract void release();
}
