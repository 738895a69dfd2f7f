package dev.sidefade.train;

import dev.sidefade.kernels.Device;
import dev.sidefade.kernels.Kernels;
import dev.sidefade.layers.Parameters;
import dev.sidefade.tensor.Tensor;
import java.util.Arrays;
import java.util.function.Supplier;

/**
 * A running mean of parameters over the steps of a training, as a network that can be asked: {@code
 * mean = decay mean + (1 - decay) values} after every step.
 */
final class RunningMean implements AutoCloseable {
  private final Parameters parameters;
  private final Tensor mean;

  /** The present values while the mean speaks, [P]. */
  private final Tensor present;

  /** 1 - decay for each row of {@link Parameters#ALIGNMENT} values. */
  private final Tensor pace;

  /** Begins at the present values. */
  RunningMean(Device device, Parameters parameters, float decay) {
    this.parameters = parameters;
    long size = parameters.values().size();
    mean = device.allocate(size);
    present = device.allocate(size);
    float[] step = new float[Math.toIntExact(size / Parameters.ALIGNMENT)];
    Arrays.fill(step, 1 - decay);
    pace = device.allocate(step.length);
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

  /** What {@code network} computes while the parameters are the mean. */
  <T> T speak(Supplier<T> network) {
    present.copyFrom(parameters.values());
    parameters.values().copyFrom(mean);
    T said = network.get();
    parameters.values().copyFrom(present);
    return said;
  }

  /** Moves towards the present values. */
  void follow(Kernels kernels) {
    long rows = pace.size();
    Tensor flat = mean.view(rows, Parameters.ALIGNMENT);
    kernels.ladderMix(flat, parameters.values().view(rows, Parameters.ALIGNMENT), pace, flat);
  }

  @Override
  public void close() {
    mean.close();
    present.close();
    pace.close();
  }
}
