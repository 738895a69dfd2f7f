package dev.sidefade.bench;

import dev.sidefade.bench.tables.Workload;
import dev.sidefade.kernels.TokenLayout;
import dev.sidefade.tensor.Tensor;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Param;

/** The generator's convolution, where there are patches. */
public class ConvBenchmark extends OnDevice {
  /** Name of the {@link Workload}. */
  @Param({"A", "B"})
  public String shape;

  private TokenLayout layout;
  private Tensor x, weight, bias, y, dy, dx, dWeight, dBias;

  @Override
  void prepare() {
    Workload work = Workload.of(shape);
    layout = new TokenLayout(work.batch(), work.tokens(), 1, work.grid(), work.grid());
    int width = work.width();
    x = random(work.rows(), width);
    weight = random(9L * width, width);
    bias = random(width);
    y = zeros(work.rows(), width);
    dy = random(work.rows(), width);
    dx = zeros(work.rows(), width);
    dWeight = zeros(9L * width, width);
    dBias = zeros(width);
  }

  /** {@code Kernels.conv3x3}. */
  @Benchmark
  public void conv3x3() {
    kernels.conv3x3(x, layout, weight, bias, y);
  }

  /** {@code Kernels.conv3x3Backward}. */
  @Benchmark
  public void conv3x3Backward() {
    kernels.conv3x3Backward(x, layout, weight, dy, dx, dWeight, dBias);
  }
}
