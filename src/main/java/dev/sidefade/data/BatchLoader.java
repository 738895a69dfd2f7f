package dev.sidefade.data;

import dev.sidefade.tensor.DType;
import dev.sidefade.tensor.Shape;
import dev.sidefade.tensor.Storage;
import dev.sidefade.tensor.Tensor;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.Optional;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;

/**
 * Batches of images, decoded by one thread ahead of their use. The batches and their contents
 * depend on the arguments alone. One thread takes the batches; any thread may close.
 *
 * <p>Three buffers go round: one in the hands of the caller, one ready, one being filled.
 */
public final class BatchLoader implements AutoCloseable {
  private static final int BUFFERS = 3;

  private final Work work;
  private final Tensor memory;
  private final BlockingQueue<Tensor> free = new ArrayBlockingQueue<>(BUFFERS);
  // every buffer, and the word that the thread has ended
  private final BlockingQueue<Event> ready = new ArrayBlockingQueue<>(BUFFERS + 1);
  private final Thread thread;
  private Optional<Tensor> lent = Optional.empty();
  private boolean ended;
  private volatile boolean closed;

  /**
   * A batch, valid until the next call of {@link BatchLoader#next} or {@link BatchLoader#close}.
   *
   * @param images [n, channels, height, width] F32, in memory of the loader
   * @param indices [n] the images in the source
   * @param labels [n] their labels, -1 for none
   */
  public record Batch(Tensor images, int[] indices, int[] labels) {
    /** {@return number of images} */
    public int size() {
      return indices.length;
    }
  }

  /** What the thread works off: all of it fixed when it starts. */
  private record Work(
      ImageSource source,
      ImageSpec spec,
      Augmentation augmentation,
      long seed,
      long epoch,
      int[] order,
      int batch) {}

  private sealed interface Event {}

  private record Filled(Tensor buffer, Batch batch) implements Event {}

  private record End(Optional<Throwable> failure) implements Event {}

  /**
   * Starts to decode.
   *
   * @param source where the images come from; stays open while the loader is
   * @param spec what is wanted
   * @param augmentation changes each image by {@link Augmentation#key} of seed, epoch and index
   * @param seed of the augmentation
   * @param epoch of the augmentation
   * @param order the images to visit, in this order; the last batch may be smaller than the others
   * @param batchSize images of a batch, at least 1
   */
  public BatchLoader(
      ImageSource source,
      ImageSpec spec,
      Augmentation augmentation,
      long seed,
      long epoch,
      int[] order,
      int batchSize) {
    if (batchSize < 1) {
      throw new IllegalArgumentException("batch size is " + batchSize + ", must be at least 1");
    }
    for (int i : order) {
      if (i < 0 || i >= source.size()) {
        throw new IllegalArgumentException("order names image " + i + " of " + source.size());
      }
    }
    int batch = Math.min(batchSize, Math.max(1, order.length));
    work = new Work(source, spec, augmentation, seed, epoch, order.clone(), batch);
    Shape shape = Shape.of(BUFFERS, batch, spec.channels(), spec.height(), spec.width());
    Arena arena = Arena.ofShared();
    MemorySegment segment = arena.allocate(Math.multiplyExact(shape.size(), Float.BYTES), 64);
    memory = Tensor.owning(shape, DType.F32, Storage.host(segment, arena::close));
    for (int i = 0; i < BUFFERS; i++) {
      free.add(view(i * (shape.size() / BUFFERS), batch));
    }
    thread = Thread.ofPlatform().daemon().name("sidefade-batch-loader").start(this::run);
  }

  /**
   * {@return the next batch, or nothing after the last} What the decoder threw is thrown here,
   * after the batches before it.
   *
   * @throws IllegalStateException if the loader is closed, or the calling thread is interrupted
   *     while it waits
   */
  public Optional<Batch> next() {
    if (closed) {
      throw new IllegalStateException("the batch loader is closed");
    }
    if (ended) {
      return Optional.empty();
    }
    lent.ifPresent(free::add);
    lent = Optional.empty();
    try {
      return switch (ready.take()) {
        case Filled filled -> {
          lent = Optional.of(filled.buffer);
          yield Optional.of(filled.batch);
        }
        case End end -> {
          ended = true;
          end.failure.ifPresent(BatchLoader::rethrow);
          yield Optional.empty();
        }
      };
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("interrupted while waiting for a batch", e);
    }
  }

  /**
   * Stops the thread after the image it is decoding, and gives the memory back. Can be called
   * twice.
   */
  @Override
  public synchronized void close() {
    closed = true;
    thread.interrupt();
    boolean interrupted = false;
    while (thread.isAlive()) {
      try {
        thread.join();
      } catch (InterruptedException e) {
        interrupted = true;
      }
    }
    // a caller who waits in next() on another thread shall not wait for ever
    ready.offer(new End(Optional.of(new IllegalStateException("the batch loader was closed"))));
    memory.close();
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }

  private void run() {
    End end = new End(Optional.empty());
    try {
      float[] image = new float[work.spec.size()];
      for (int from = 0; from < work.order.length && !closed; from += work.batch) {
        Tensor buffer = free.take();
        int to = Math.min(from + work.batch, work.order.length);
        fill(buffer, Arrays.copyOfRange(work.order, from, to), image);
      }
    } catch (InterruptedException e) {
      end = new End(Optional.of(new IllegalStateException("the batch loader was closed", e)));
    } catch (Throwable t) { // whatever it is, the caller must hear of it
      end = new End(Optional.of(t));
    }
    ready.add(end);
  }

  private void fill(Tensor buffer, int[] indices, float[] image) {
    ImageSpec spec = work.spec;
    int[] labels = new int[indices.length];
    MemorySegment target = buffer.segment();
    for (int k = 0; k < indices.length && !closed; k++) {
      work.source.decode(indices[k], spec, image, 0);
      if (!work.augmentation.isNone()) {
        long key = Augmentation.key(work.seed, work.epoch, indices[k]);
        work.augmentation.apply(image, 0, spec, key);
      }
      MemorySegment.copy(
          image,
          0,
          target,
          ValueLayout.JAVA_FLOAT,
          (long) k * spec.size() * Float.BYTES,
          spec.size());
      labels[k] = work.source.label(indices[k]);
    }
    Tensor images = buffer.slice(0, indices.length, spec.channels(), spec.height(), spec.width());
    ready.add(new Filled(buffer, new Batch(images, indices, labels)));
  }

  private Tensor view(long from, int batch) {
    return memory.slice(from, batch, work.spec.channels(), work.spec.height(), work.spec.width());
  }

  private static void rethrow(Throwable t) {
    switch (t) {
      case RuntimeException e -> throw e;
      case Error e -> throw e;
      default -> throw new IllegalStateException("decoding failed: " + t, t);
    }
  }
}
