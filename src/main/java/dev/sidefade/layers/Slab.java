package dev.sidefade.layers;

import dev.sidefade.tensor.Shape;
import dev.sidefade.tensor.Tensor;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Hands out consecutive pieces of one tensor: the activations of a step. Plans for batches of
 * different sizes may lie over the same memory, since only one is in use at a time.
 */
public final class Slab {
  private static final long ALIGNMENT = 16;

  private final @Nullable Tensor memory;
  private long used;

  /**
   * Over the given F32 memory.
   *
   * @param memory F32 tensor that is handed out in pieces
   */
  public Slab(Tensor memory) {
    this.memory = memory;
  }

  /** Measures: there is no memory yet. */
  private Slab() {
    memory = null;
  }

  /**
   * {@return number of floats that {@code plan} takes} While it is measured all tensors are null.
   *
   * @param plan takes the pieces
   */
  public static long measure(Consumer<Slab> plan) {
    Slab slab = new Slab();
    plan.accept(slab);
    return slab.used;
  }

  /**
   * {@return the next piece; null while measuring}
   *
   * @param dims dimensions, outermost first
   */
  @SuppressWarnings("NullAway") // null only while a plan is measured, which looks at nothing
  public Tensor take(long... dims) {
    Shape shape = Shape.of(dims);
    long at = used;
    used = Math.addExact(used, (shape.size() + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT);
    return memory == null ? null : memory.slice(at, dims);
  }
}
