package dev.sidefade.train;

import dev.sidefade.kernels.Device;
import dev.sidefade.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;
import java.util.function.ToDoubleFunction;

/**
 * What a step has to say: loss terms and factors of clipping. They are gathered where they are
 * computed and read once, when the step is over.
 */
final class StepReport implements AutoCloseable {
  /** A loss term, from the slots of the step; or a number that must be finite. */
  private record Entry(String name, boolean term, ToDoubleFunction<float[]> value) {}

  private final Tensor slots;
  private final List<Entry> entries = new ArrayList<>();
  private int used;
  private long step;
  private boolean pending;

  /**
   * @param most slots of any step
   */
  StepReport(Device device, long most) {
    slots = device.allocate(most);
  }

  /**
   * A step begins; what the one before said was read.
   *
   * @param number of the step, from 1
   */
  void begin(long number) {
    entries.clear();
    used = 0;
    step = number;
    pending = true;
  }

  /** Number of the first slot of {@code count} new ones. */
  int take(int count) {
    int first = used;
    used += count;
    return first;
  }

  /** The slots {@code [first, first + count)}. */
  Tensor slots(int first, int count) {
    return slots.slice(first, count);
  }

  /** A loss term that is in one slot. */
  void term(String name, int slot) {
    term(name, all -> all[slot]);
  }

  /** A loss term that is computed from all slots. */
  void term(String name, ToDoubleFunction<float[]> value) {
    entries.add(new Entry(name, true, value));
  }

  /** A slot that must hold a finite number. */
  void finite(String what, int slot) {
    entries.add(new Entry(what, false, all -> all[slot]));
  }

  /**
   * Waits for the step, reads it, and adds its terms to {@code means} in their order; does nothing
   * when that was done.
   *
   * @return whether there was a step that was not read yet
   * @throws DivergedException if a value is not finite
   */
  boolean read(StepLosses means) {
    if (!pending) {
      return false;
    }
    pending = false;
    float[] all = slots.slice(0, used).toFloats();
    for (Entry entry : entries) {
      double value = entry.value().applyAsDouble(all);
      if (entry.term()) {
        means.add(entry.name(), value, step);
      } else if (!Double.isFinite(value)) {
        throw new DivergedException(entry.name(), step, value);
      }
    }
    return true;
  }

  @Override
  public void close() {
    slots.close();
  }
}
