package dev.sidefade.train;

import dev.sidefade.kernels.Device;
import java.util.ArrayList;
import java.util.List;

/**
 * A step as a sequence of what the device does and what the host does between. What the device does
 * without the host between is one part, which the device may remember for the next step.
 */
final class StepParts {
  /** One part among those of a step. */
  private record Key(Object step, int part) {}

  private final Device device;
  private final Object key;
  private final List<Runnable> waiting = new ArrayList<>();
  private int parts;

  /**
   * @param key of equal steps
   */
  StepParts(Device device, Object key) {
    this.device = device;
    this.key = key;
  }

  /** The device's work, called when the part is complete. */
  void device(Runnable work) {
    waiting.add(work);
  }

  /** The host's work, after all before it. */
  void host(Runnable work) {
    run();
    work.run();
  }

  /** Completes the last part. */
  void run() {
    if (waiting.isEmpty()) {
      return;
    }
    List<Runnable> part = List.copyOf(waiting);
    waiting.clear();
    device.step(new Key(key, parts++), () -> part.forEach(Runnable::run));
  }
}
