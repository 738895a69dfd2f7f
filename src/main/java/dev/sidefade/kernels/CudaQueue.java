package dev.sidefade.kernels;

/**
 * Where a device puts its operations, in CUDA's own terms, for another library that is to work on
 * the same memory in the same order.
 *
 * @param ordinal number of the GPU, for CUDA
 * @param stream the CUstream as a number, in the primary context of that GPU
 */
public record CudaQueue(int ordinal, long stream) {}
