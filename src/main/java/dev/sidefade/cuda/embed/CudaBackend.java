package dev.sidefade.cuda.embed;

import dev.sidefade.cuda.CudaDevice;
import dev.sidefade.cuda.CudaStream;
import dev.sidefade.cuda.ops.CudaDeviceProvider;
import dev.sidefade.cuda.ops.GpuDevice;
import dev.sidefade.kernels.Device;
import dev.sidefade.kernels.Kernels;
import dev.sidefade.tensor.DType;
import dev.sidefade.tensor.Shape;
import dev.sidefade.tensor.Tensor;
import java.util.Optional;

/**
 * All operations of {@link Kernels} on a stream and on device memory of the caller.
 *
 * <pre>{@code
 * try (CudaBackend backend = CudaBackend.on(device, stream)) {
 *   Tensor logits = backend.tensor(pointer, DType.F32, rows, classes);
 *   backend.kernels().logitDistillation(logits, ...);
 * }
 * }</pre>
 *
 * <p>An operation enqueues its work on the stream and comes back: it sees what was enqueued there
 * before, and what is enqueued there afterwards sees its results. Memory for the inside of
 * operations, cuBLAS and the loaded kernels belong to the backend and are given back when it is
 * closed, after waiting for the device. The stream and the tensors' memory stay the caller's: they
 * must outlive the work enqueued, and nobody here frees them.
 *
 * <p>It works in the primary context of the device, the one that the CUDA runtime, cuBLAS and most
 * libraries use: stream and memory are to be of that context. While the caller captures the stream
 * into a graph, no operation may be called. The thread that opened it has it until another one
 * takes it over.
 */
public final class CudaBackend implements AutoCloseable {
  private final GpuDevice device;

  private CudaBackend(GpuDevice device) {
    this.device = device;
  }

  /** {@return why it cannot be used here: driver, GPU, cuBLAS or kernels that are missing} */
  public static Optional<String> unavailable() {
    return new CudaDeviceProvider().unavailable();
  }

  /**
   * Opens the operations on a stream.
   *
   * @param device the GPU
   * @param stream a CUstream (or cudaStream_t) as a number, of the device's primary context; the
   *     driver crashes on a handle that is none. 0 and 1, the legacy default stream, work too, but
   *     {@link Device#step} does not make graphs of it; 2, the default stream of each thread, is
   *     refused
   * @return the operations, to be closed before the stream
   * @throws IllegalArgumentException if the stream is 2
   * @throws dev.sidefade.cuda.CudaUnavailableException if CUDA or cuBLAS cannot be used here
   * @throws dev.sidefade.cuda.CudaException if the driver refuses, for example for want of memory
   */
  public static CudaBackend on(CudaDevice device, long stream) {
    return new CudaBackend(GpuDevice.on(device, stream));
  }

  /**
   * Opens the operations on an open stream of the driver layer, which stays open.
   *
   * @param stream the stream, of the same context
   * @return the operations, to be closed before the stream
   */
  public static CudaBackend on(CudaStream stream) {
    return on(stream.context().device(), stream.handle());
  }

  /**
   * {@return a tensor over device memory of the caller, row-major and dense} Closing it is not
   * needed and frees nothing.
   *
   * @param address device pointer, a multiple of the element's size
   * @param dtype type of the elements
   * @param dims dimensions, outermost first
   * @throws IllegalArgumentException if the address is no such multiple, or 0
   */
  public Tensor tensor(long address, DType dtype, long... dims) {
    Shape shape = Shape.of(dims);
    if (address % dtype.bytes() != 0 || address == 0 && shape.size() > 0) {
      throw new IllegalArgumentException(
          "a tensor of "
              + dtype
              + " cannot be at device address 0x"
              + Long.toHexString(address)
              + ": expected a multiple of "
              + dtype.bytes()
              + " that is not 0");
    }
    return device.wrap(address, dtype, shape);
  }

  /** {@return the operations} */
  public Kernels kernels() {
    return device.kernels();
  }

  /**
   * {@return the same as a device: it allocates tensors of its own, and counts the bytes of those
   * and of the inside of operations, not the caller's} Closed with this.
   */
  public Device device() {
    return device;
  }

  /**
   * Hands the backend to the calling thread, and makes the primary context current there. The
   * thread that had it must be done with it.
   */
  public void takeOver() {
    device.takeOver();
  }

  /** Waits for the device and gives back what is not the caller's. Twice is harmless. */
  @Override
  public void close() {
    device.close();
  }
}
