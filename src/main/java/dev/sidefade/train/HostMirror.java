package dev.sidefade.train;

import dev.sidefade.tensor.Shape;
import dev.sidefade.tensor.Tensor;
import java.lang.foreign.Arena;
import java.util.HashMap;
import java.util.Map;

/**
 * Host tensors beside device tensors, for ONNX Runtime, which computes on the host. Where a tensor
 * is on the host already it is its own mirror.
 */
final class HostMirror {
  private final Map<Tensor, Tensor> mirrors = new HashMap<>();

  /** The mirror, with whatever it held. */
  Tensor of(Tensor tensor) {
    return tensor.onHost() ? tensor : mirrors.computeIfAbsent(tensor, HostMirror::allocate);
  }

  private static Tensor allocate(Tensor like) {
    // it lives as long as this mirror: parameters do not come and go
    return Tensor.wrap(
        Arena.ofAuto().allocate(Math.max(1, like.bytes()), 64).asSlice(0, like.bytes()),
        Shape.of(like.shape().toArray()),
        like.dtype());
  }

  /** The mirror with the tensor's values. */
  Tensor read(Tensor tensor) {
    Tensor mirror = of(tensor);
    if (mirror != tensor) {
      mirror.copyFrom(tensor);
    }
    return mirror;
  }

  /** Puts the mirror's values into the tensor. */
  void write(Tensor tensor) {
    Tensor mirror = of(tensor);
    if (mirror != tensor) {
      tensor.copyFrom(mirror);
    }
  }
}
