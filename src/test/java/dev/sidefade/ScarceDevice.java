package dev.sidefade;

import dev.sidefade.kernels.Device;
import dev.sidefade.kernels.WrappedDevice;
import dev.sidefade.tensor.DType;
import dev.sidefade.tensor.Shape;
import dev.sidefade.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Supplier;

/** A device that has room for so many tensors only, and counts those that nobody closed. */
final class ScarceDevice extends WrappedDevice {
  /** As if memory were used up. */
  static final class NoRoom extends RuntimeException {
    private static final long serialVersionUID = 1;
  }

  private final int room;
  private final List<Tensor> given = new ArrayList<>();
  private int open = -1;

  ScarceDevice(Device device, int room) {
    super(device);
    this.room = room;
  }

  @Override
  public Tensor allocate(DType dtype, Shape shape) {
    return give(() -> super.allocate(dtype, shape));
  }

  @Override
  public Tensor allocateHost(DType dtype, Shape shape) {
    return give(() -> super.allocateHost(dtype, shape));
  }

  private Tensor give(Supplier<Tensor> source) {
    if (given.size() == room) {
      throw new NoRoom();
    }
    Tensor tensor = source.get();
    given.add(tensor);
    return tensor;
  }

  int allocations() {
    return given.size();
  }

  /** Tensors that were open when the device was closed; -1 while it is open. */
  int openAtTheEnd() {
    return open;
  }

  @Override
  public void close() {
    open = (int) given.stream().filter(ScarceDevice::isOpen).count();
    super.close();
  }

  private static boolean isOpen(Tensor tensor) {
    try {
      return tensor.address() != 0;
    } catch (IllegalStateException e) {
      return false;
    }
  }
}
