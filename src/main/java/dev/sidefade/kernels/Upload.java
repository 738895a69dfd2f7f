package dev.sidefade.kernels;

import dev.sidefade.tensor.Tensor;

/**
 * Brings host tensors onto a device while it works on something else. One turn is {@link #begin},
 * any number of {@link #copy}, and {@link #end}.
 */
public interface Upload extends AutoCloseable {
  /**
   * Starts a turn: its copies wait for the operations that were called until the last {@link
   * #used}, but not for later ones. Allocating the targets is such an operation.
   */
  void begin();

  /**
   * Copies a host tensor into a device tensor of the same type and size. Neither may be touched
   * until {@link #await}; the copy is beside other work only from memory of {@link
   * Device#allocateHost}.
   *
   * @param source on the host
   * @param target on the device
   */
  void copy(Tensor source, Tensor target);

  /** Operations that are called from now on see what was copied. */
  void end();

  /** What was copied is not needed any more once the operations that were called until now ran. */
  void used();

  /** Waits on the host until the sources of the copies may be written again. */
  void await();

  @Override
  void close();
}
