package dev.sidefade.bench;

import dev.sidefade.tensor.Tensor;
import org.openjdk.jmh.annotations.Benchmark;

/** The ladder: projection of a tap and the mix with the state. */
public class LadderBenchmark extends OnWorkload {
  private Tensor h, weight, bias, c, u, z, x, dx, dz, du, dc, dWeight, dBias;

  @Override
  void prepare(int rows, int tapWidth, int width) {
    h = random(rows, tapWidth);
    weight = random(tapWidth, width);
    bias = random(width);
    c = constant(0.75f, rows); // no row is masked
    u = random(rows, width);
    z = random(rows, width);
    x = zeros(rows, width);
    dx = random(rows, width);
    dz = zeros(rows, width);
    du = zeros(rows, width);
    dc = zeros(rows);
    dWeight = zeros(tapWidth, width);
    dBias = zeros(width);
  }

  /** {@code Kernels.ladderProject}. */
  @Benchmark
  public void ladderProject() {
    kernels.ladderProject(h, weight, bias, c, u);
  }

  /** {@code Kernels.ladderProjectBackward}. */
  @Benchmark
  public void ladderProjectBackward() {
    kernels.ladderProjectBackward(h, dx, c, dWeight, dBias);
  }

  /** {@code Kernels.ladderMix}. */
  @Benchmark
  public void ladderMix() {
    kernels.ladderMix(z, u, c, x);
  }

  /** {@code Kernels.ladderMixBackward}. */
  @Benchmark
  public void ladderMixBackward() {
    kernels.ladderMixBackward(dx, z, u, c, dz, du, dc);
  }
}
