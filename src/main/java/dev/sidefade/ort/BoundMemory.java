package dev.sidefade.ort;

/** Where a {@link BoundSession} computes, and where what is bound to it may lie. */
public sealed interface BoundMemory {
  /** The host's, where the CPU computes. */
  record Host() implements BoundMemory {}

  /**
   * A GPU's; what is bound may lie on the host too and is then copied.
   *
   * @param ordinal the GPU's number for CUDA
   * @param stream the CUstream in whose order ONNX Runtime computes
   */
  record Cuda(int ordinal, long stream) implements BoundMemory {}
}
