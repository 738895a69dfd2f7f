package dev.sidefade.train;

import dev.sidefade.kernels.Device;
import dev.sidefade.kernels.Kernels;
import dev.sidefade.layers.Parameters;
import dev.sidefade.tensor.Closer;
import dev.sidefade.tensor.Tensor;
import java.util.Arrays;
import java.util.function.Supplier;

/**
 * A running mean of parameters over the steps of a training, as a network that can be asked: {@code
 * mean = decay mean + (1 - decay) values} after every step.
 */
final class RunningMean implements AutoCloseable {
  private final Closer own = new Closer();
  private final Parameters parameters;
  private final Tensor mean;

  /** The present values while the mean speaks, [P]. */
  private final Tensor present;

  /** 1 - decay for each row of {@link Parameters#ALIGNMENT} values. */
  private final Tensor pace;

  /** What the mean said last. */
  private final Tensor said;

  /**
   * Begins at the present values.
   *
   * @param most elements that it says at once
   */
  RunningMean(Device device, Parameters parameters, float decay, long most) {
    this.parameters = parameters;
    long size = parameters.values().size();
    float[] step = new float[Math.toIntExact(size / Parameters.ALIGNMENT)];
    Arrays.fill(step, 1 - decay);
    said = own.make(() -> device.allocate(most));
    mean = own.make(() -> device.allocate(size));
    present = own.make(() -> device.allocate(size));
    pace = own.make(() -> device.allocate(step.length));
    pace.setFloats(step);
    restart();
  }

  /** The mean, [P]. */
  Tensor values() {
    return mean;
  }

  /** Begins again at the present values. */
  void restart() {
    mean.copyFrom(parameters.values());
  }

  /**
   * What {@code network} computes while the parameters are the mean: a copy, for the network's own
   * memory is written again; valid until the next call.
   */
  Tensor speak(Supplier<Tensor> network) {
    present.copyFrom(parameters.values());
    parameters.values().copyFrom(mean);
    Tensor result = network.get();
    parameters.values().copyFrom(present);
    Tensor copy = said.slice(0, result.shape().toArray());
    copy.copyFrom(result);
    return copy;
  }

  /** Moves towards the present values. */
  void follow(Kernels kernels) {
    long rows = pace.size();
    Tensor flat = mean.view(rows, Parameters.ALIGNMENT);
    kernels.ladderMix(flat, parameters.values().view(rows, Parameters.ALIGNMENT), pace, flat);
  }

  @Override
  public void close() {
    own.close();
  }
}
