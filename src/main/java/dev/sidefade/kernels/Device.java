package dev.sidefade.kernels;

import dev.sidefade.tensor.DType;
import dev.sidefade.tensor.Shape;
import dev.sidefade.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.ServiceLoader;

/**
 * A place where tensors live and kernels run. Whoever opens a device closes it, after the tensors
 * that it allocated.
 *
 * <p>Used by one thread at a time.
 */
public interface Device extends AutoCloseable {

  /** {@return name for people: "cpu, 2 threads, Vector API 256 bit"} */
  String name();

  /**
   * {@return a new tensor of zeros, owned by the caller}
   *
   * @param dtype type of the elements
   * @param shape dimensions of the tensor
   */
  Tensor allocate(DType dtype, Shape shape);

  /**
   * {@return a new F32 tensor of zeros, owned by the caller}
   *
   * @param dims dimensions, outermost first
   */
  default Tensor allocate(long... dims) {
    return allocate(DType.F32, Shape.of(dims));
  }

  /**
   * Copies {@code source} into {@code target}, of the same type and size, from or to the host or
   * within the device.
   *
   * @param source tensor to read
   * @param target tensor to write
   */
  default void copy(Tensor source, Tensor target) {
    target.copyFrom(source);
  }

  /**
   * Sets every byte to zero.
   *
   * @param tensor on this device
   */
  default void zero(Tensor tensor) {
    tensor.zero();
  }

  /** {@return whether tensors that it allocates are memory that the host can read} */
  default boolean onHost() {
    return true;
  }

  /**
   * {@return a new tensor of zeros in host memory from which copies to this device are fast, owned
   * by the caller}
   *
   * @param dtype type of the elements
   * @param shape dimensions of the tensor
   */
  default Tensor allocateHost(DType dtype, Shape shape) {
    return allocate(dtype, shape);
  }

  /**
   * Runs a part of a step that is done again and again. A device may remember what the operations
   * of {@code body} ask of it and do the same at once when the key comes back: the tensors must
   * then be the same, while numbers (seeds, labels, rates) may differ. When something else differs
   * the results are the same, later.
   *
   * <p>Bodies should not read tensors on the host, nor write or allocate them; they may, at the
   * price of not being remembered.
   *
   * @param key of equal parts, with {@code equals} and {@code hashCode}
   * @param body operations on tensors of this device
   */
  default void step(Object key, Runnable body) {
    body.run();
  }

  /**
   * {@return a way for host tensors onto this device beside its operations} The caller closes it
   * before the device.
   */
  default Upload upload() {
    return new DirectUpload(this);
  }

  /**
   * The CUDA stream of its operations, for another library that is to enqueue work between them:
   * what was called until now is enqueued, if not done, when this returns. To be asked again before
   * each such work.
   *
   * @return the stream; empty on devices without one
   */
  default Optional<CudaQueue> queue() {
    return Optional.empty();
  }

  /** {@return the operations on this device} */
  Kernels kernels();

  /** {@return bytes allocated and not given back} */
  long liveBytes();

  /**
   * {@return largest value of {@link #liveBytes()} since the device was opened or {@link
   * #resetPeak()} was called}
   */
  long peakBytes();

  /** Starts a new measurement of {@link #peakBytes()}. */
  void resetPeak();

  @Override
  void close();

  /**
   * Opens the CPU with the given number of threads; 0 = all processors.
   *
   * @param threads number of threads; 0 = all processors
   * @return the device, to be closed
   */
  static Device cpu(int threads) {
    return open("cpu", threads);
  }

  /**
   * Opens the fastest backend that works here. A backend that should work and cannot be opened (a
   * GPU that is full, or another program's alone) is passed over with a warning.
   *
   * @param threads number of threads; 0 = all processors
   * @return the device, to be closed
   */
  static Device best(int threads) {
    RuntimeException failure = null;
    for (DeviceProvider provider : providers()) {
      if (provider.unavailable().isPresent()) {
        continue;
      }
      try {
        return provider.open(threads);
      } catch (RuntimeException e) {
        failure = e;
        System.getLogger(Device.class.getName())
            .log(
                System.Logger.Level.WARNING,
                "device {0} is not used: {1}",
                provider.name(),
                e.getMessage());
      }
    }
    throw new IllegalStateException("no backend works here: " + availability(), failure);
  }

  /**
   * Opens the named backend.
   *
   * @param name as {@link DeviceProvider#name} gives it
   * @param threads number of threads; 0 = all processors
   * @return the device, to be closed
   * @throws dev.sidefade.tensor.BadInputException if there is none of that name or it does not work
   *     here, with the reason
   */
  static Device open(String name, int threads) {
    for (DeviceProvider provider : providers()) {
      if (provider.name().equals(name)) {
        provider
            .unavailable()
            .ifPresent(why -> {
              throw new dev.sidefade.tensor.BadInputException(
                  "device " + name + " cannot be used here (cpu can): " + why);
            });
        return provider.open(threads);
      }
    }
    throw new dev.sidefade.tensor.BadInputException(
        "there is no device named "
            + name
            + " in this build; it has: "
            + String.join(", ", providers().stream().map(DeviceProvider::name).toList()));
  }

  /** {@return one entry per backend: what it found, or why it cannot be used} */
  static List<String> availability() {
    return providers().stream()
        .map(p ->
            p.name() + ": " + p.unavailable().map(w -> "not used, " + w).orElseGet(p::describe))
        .toList();
  }

  /** {@return all backends of this build, the fastest first} */
  static List<DeviceProvider> providers() {
    List<DeviceProvider> all = new ArrayList<>();
    ServiceLoader.load(DeviceProvider.class, Device.class.getClassLoader()).forEach(all::add);
    all.sort((a, b) -> Integer.compare(b.rank(), a.rank()));
    return all;
  }
}
