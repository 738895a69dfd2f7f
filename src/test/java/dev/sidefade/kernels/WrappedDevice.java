package dev.sidefade.kernels;

import dev.sidefade.tensor.DType;
import dev.sidefade.tensor.Shape;
import dev.sidefade.tensor.Tensor;
import java.util.Optional;

/** A device that does what another one does, for tests that change a part of it. */
public class WrappedDevice implements Device {
  private final Device device;

  /** Closes {@code device} with itself. */
  public WrappedDevice(Device device) {
    this.device = device;
  }

  @Override
  public String name() {
    return device.name();
  }

  @Override
  public Tensor allocate(DType dtype, Shape shape) {
    return device.allocate(dtype, shape);
  }

  @Override
  public Tensor allocateHost(DType dtype, Shape shape) {
    return device.allocateHost(dtype, shape);
  }

  @Override
  public boolean onHost() {
    return device.onHost();
  }

  @Override
  public void step(Object key, Runnable body) {
    device.step(key, body);
  }

  @Override
  public Upload upload() {
    return device.upload();
  }

  @Override
  public Optional<CudaQueue> queue() {
    return device.queue();
  }

  @Override
  public void copy(Tensor source, Tensor target) {
    device.copy(source, target);
  }

  @Override
  public void zero(Tensor tensor) {
    device.zero(tensor);
  }

  @Override
  public Kernels kernels() {
    return device.kernels();
  }

  @Override
  public long liveBytes() {
    return device.liveBytes();
  }

  @Override
  public long peakBytes() {
    return device.peakBytes();
  }

  @Override
  public void resetPeak() {
    device.resetPeak();
  }

  @Override
  public void close() {
    device.close();
  }
}
