package dev.sidefade.cpu;

import dev.sidefade.tensor.DType;
import dev.sidefade.tensor.Shape;
import dev.sidefade.tensor.Tensor;

/** Scratch memory as a tensor, for operations made of other operations. */
final class Scratch {
  private Scratch() {}

  /** An uninitialised tensor, valid until the mark before it is released. */
  static Tensor tensor(Memory memory, long... dims) {
    Shape shape = Shape.of(dims);
    long address = memory.take(shape.size());
    return Tensor.wrap(RawMemory.ALL.asSlice(address, shape.size() * 4), shape, DType.F32);
  }
}
