package dev.sidefade.cli;

import dev.sidefade.kernels.Device;
import dev.sidefade.tensor.CounterRandom;
import dev.sidefade.tensor.Tensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** Tensors of one benchmark, closed together. */
final class BenchTensors implements AutoCloseable {
  /** How many numbers are made; larger tensors repeat them. */
  private static final int PERIOD = 1 << 16;

  private final Device device;
  private final List<Tensor> owned = new ArrayList<>();

  BenchTensors(Device device) {
    this.device = device;
  }

  Tensor zeros(long... dims) {
    Tensor tensor = device.allocate(dims);
    owned.add(tensor);
    return tensor;
  }

  /** Standard normal numbers, the same in every run. */
  Tensor random(long... dims) {
    Tensor tensor = zeros(dims);
    float[] values = new float[Math.toIntExact(Math.min(PERIOD, tensor.size()))];
    for (int i = 0; i < values.length; i++) {
      values[i] = CounterRandom.normal(1, owned.size(), i);
    }
    return fill(tensor, values);
  }

  Tensor constant(float value, long... dims) {
    Tensor tensor = zeros(dims);
    float[] values = new float[Math.toIntExact(Math.min(PERIOD, tensor.size()))];
    Arrays.fill(values, value);
    return fill(tensor, values);
  }

  private static Tensor fill(Tensor tensor, float[] values) {
    for (long from = 0; from < tensor.size(); from += values.length) {
      int count = Math.toIntExact(Math.min(values.length, tensor.size() - from));
      tensor
          .slice(from, count)
          .setFloats(count == values.length ? values : Arrays.copyOf(values, count));
    }
    return tensor;
  }

  @Override
  public void close() {
    owned.forEach(Tensor::close);
  }
}
