package dev.sidefade.bench;

import dev.sidefade.bench.tables.Workload;
import dev.sidefade.tensor.Tensor;
import org.openjdk.jmh.annotations.Benchmark;

/** The feature path: alignment and masks. */
public class FeatureBenchmark extends OnWorkload {
  private Tensor z, down, up, h, loss, dz, dDown, dUp;
  private Tensor removed, token, masked, dToken;
  private Tensor y, dx;

  @Override
  void prepare(int rows, int tapWidth, int width) {
    z = random(rows, width);
    down = random(width, Workload.RANK);
    up = random(Workload.RANK, tapWidth);
    h = random(rows, tapWidth);
    loss = zeros(1);
    dz = zeros(rows, width);
    dDown = zeros(width, Workload.RANK);
    dUp = zeros(Workload.RANK, tapWidth);
    removed = zeros(rows);
    token = random(width);
    masked = zeros(rows, width);
    dToken = zeros(width);
    y = random(rows, width);
    dx = zeros(rows, width);
    kernels.drawMask(1, 1, 0.5f, layout, null, removed);
  }

  /** {@code Kernels.featureMatching}. */
  @Benchmark
  public void featureMatching() {
    kernels.featureMatching(z, down, up, h, null, 1, true, loss, dz, dDown, dUp);
  }

  /** {@code Kernels.drawMask}. */
  @Benchmark
  public void drawMask() {
    kernels.drawMask(1, 2, 0.5f, layout, null, removed);
  }

  /** {@code Kernels.insertMaskToken}. */
  @Benchmark
  public void insertMaskToken() {
    kernels.insertMaskToken(z, removed, token, masked);
  }

  /** {@code Kernels.insertMaskTokenBackward}. */
  @Benchmark
  public void insertMaskTokenBackward() {
    kernels.insertMaskTokenBackward(y, removed, dx, dToken);
  }
}
