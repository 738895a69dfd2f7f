package dev.sidefade.bench;

import dev.sidefade.tensor.Tensor;
import org.openjdk.jmh.annotations.Benchmark;

/** Products with the width of a tap: R x D_B times D_B x D_S. */
public class LinearBenchmark extends OnWorkload {
  private Tensor x, weight, bias, y, dx, dWeight, dBias;

  @Override
  void prepare(int rows, int tapWidth, int width) {
    x = random(rows, tapWidth);
    weight = random(tapWidth, width);
    bias = random(width);
    y = random(rows, width);
    dx = zeros(rows, tapWidth);
    dWeight = zeros(tapWidth, width);
    dBias = zeros(width);
  }

  /** {@code Kernels.gemm}. */
  @Benchmark
  public void gemm() {
    kernels.gemm(x, false, weight, false, y);
  }

  /** {@code Kernels.linear}. */
  @Benchmark
  public void linear() {
    kernels.linear(x, weight, bias, y);
  }

  /** {@code Kernels.linearBackward}. */
  @Benchmark
  public void linearBackward() {
    kernels.linearBackward(x, weight, y, dx, dWeight, dBias);
  }
}
