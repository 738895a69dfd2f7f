package dev.sidefade.data;

import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Keeps decoded images, so that each is decoded once: as they are until they are asked for in a
 * size, then in that size. Beyond its budget it keeps nothing and images are decoded again.
 * Thread-safe.
 */
final class PixelCache {
  private static final long BUDGET = Math.min(512L << 20, Runtime.getRuntime().maxMemory() / 8);

  private final @Nullable Pixels[] decoded;
  private final @Nullable Pixels[] prepared;
  private final long budget;
  private Optional<Geometry> geometry = Optional.empty();
  private long used;

  /** What the pixels of a prepared image depend on: not mean and std. */
  private record Geometry(int channels, int height, int width, Resizing resizing) {
    static Geometry of(ImageSpec s) {
      return new Geometry(s.channels(), s.height(), s.width(), s.resizing());
    }
  }

  PixelCache(int size) {
    this(size, BUDGET);
  }

  PixelCache(int size, long budget) {
    this.decoded = new Pixels[size];
    this.prepared = new Pixels[size];
    this.budget = budget;
  }

  /** Bytes kept. */
  synchronized long used() {
    return used;
  }

  /** Keeps a decoded image if it fits. */
  synchronized void putDecoded(int i, Pixels p) {
    if (decoded[i] == null && used + p.data().length <= budget) {
      decoded[i] = p;
      used += p.data().length;
    }
  }

  synchronized Optional<Pixels> decoded(int i) {
    return Optional.ofNullable(decoded[i]);
  }

  /** Image i as spec wants it, if kept. */
  synchronized Optional<Pixels> prepared(int i, ImageSpec spec) {
    return geometry.isPresent() && geometry.get().equals(Geometry.of(spec))
        ? Optional.ofNullable(prepared[i])
        : Optional.empty();
  }

  /**
   * Keeps image i as spec wants it, in place of the decoded one, if spec is like the first one
   * asked for.
   */
  synchronized void putPrepared(int i, ImageSpec spec, Pixels p) {
    if (geometry.isEmpty()) {
      geometry = Optional.of(Geometry.of(spec));
    }
    if (!geometry.get().equals(Geometry.of(spec)) || prepared[i] != null) {
      return;
    }
    long freed = decoded[i] == null ? 0 : decoded[i].data().length;
    if (used - freed + p.data().length <= budget) {
      prepared[i] = p;
      decoded[i] = null;
      used += p.data().length - freed;
    }
  }
}
