package dev.sidefade.bench;

import dev.sidefade.kernels.AdapterState;
import dev.sidefade.kernels.AdapterWeights;
import dev.sidefade.tensor.Tensor;
import org.openjdk.jmh.annotations.Benchmark;

/** The adapter block. */
public class AdapterBenchmark extends OnWorkload {
  private Tensor x, z, dz, dx;
  private AdapterWeights weights;
  private AdapterWeights gradients;
  private AdapterState state;

  @Override
  void prepare(int rows, int tapWidth, int width) {
    x = random(rows, width);
    z = zeros(rows, width);
    dz = random(rows, width);
    dx = zeros(rows, width);
    weights = weights(width, work.hidden());
    gradients = weights(width, work.hidden());
    long hidden = work.hidden();
    state =
        new AdapterState(
            zeros(rows), zeros(rows), zeros(rows, width), zeros(rows, hidden), zeros(rows, hidden));
    kernels.adapter(x, weights, 1e-6f, state, z);
  }

  private AdapterWeights weights(int width, int hidden) {
    return new AdapterWeights(
        random(width),
        random(width),
        random(width, hidden),
        random(hidden),
        random(hidden, width),
        random(width));
  }

  /** {@code Kernels.adapter}. */
  @Benchmark
  public void adapter() {
    kernels.adapter(x, weights, 1e-6f, state, z);
  }

  /** {@code Kernels.adapterBackward}. */
  @Benchmark
  public void adapterBackward() {
    kernels.adapterBackward(x, weights, state, dz, dx, gradients);
  }
}
