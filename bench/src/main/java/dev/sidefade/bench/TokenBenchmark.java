package dev.sidefade.bench;

import dev.sidefade.tensor.Tensor;
import org.openjdk.jmh.annotations.Benchmark;

/** Operations on each token of the side network's state. */
public class TokenBenchmark extends OnWorkload {
  private Tensor x, gamma, beta, y, mean, rstd, dy, dx, dGamma, dBeta, hidden, activated;

  @Override
  void prepare(int rows, int tapWidth, int width) {
    x = random(rows, width);
    gamma = random(width);
    beta = random(width);
    y = zeros(rows, width);
    mean = zeros(rows);
    rstd = zeros(rows);
    dy = random(rows, width);
    dx = zeros(rows, width);
    dGamma = zeros(width);
    dBeta = zeros(width);
    hidden = random(rows, work.hidden());
    activated = zeros(rows, work.hidden());
    kernels.layerNorm(x, gamma, beta, 1e-6f, y, mean, rstd);
  }

  /** {@code Kernels.layerNorm}. */
  @Benchmark
  public void layerNorm() {
    kernels.layerNorm(x, gamma, beta, 1e-6f, y, mean, rstd);
  }

  /** {@code Kernels.layerNormBackward}. */
  @Benchmark
  public void layerNormBackward() {
    kernels.layerNormBackward(x, gamma, mean, rstd, dy, dx, false, dGamma, dBeta);
  }

  /** {@code Kernels.gelu}. */
  @Benchmark
  public void gelu() {
    kernels.gelu(hidden, activated);
  }

  /** {@code Kernels.geluBackward}. */
  @Benchmark
  public void geluBackward() {
    kernels.geluBackward(hidden, hidden, activated);
  }
}
