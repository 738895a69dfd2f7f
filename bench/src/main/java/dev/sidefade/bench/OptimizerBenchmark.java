package dev.sidefade.bench;

import dev.sidefade.bench.tables.Work;
import dev.sidefade.kernels.OptimizerGroup;
import dev.sidefade.tensor.Tensor;
import org.openjdk.jmh.annotations.Benchmark;

/** Clipping and AdamW over three million parameters in two groups. */
public class OptimizerBenchmark extends OnDevice {
  private static final int PARAMETERS = Work.PARAMETERS;

  private final OptimizerGroup[] groups = {
    new OptimizerGroup(0, PARAMETERS / 2, 1e-3f, 0.01f),
    new OptimizerGroup(PARAMETERS / 2, PARAMETERS / 2, 1e-3f, 0)
  };
  private Tensor parameters;
  private Tensor gradient;
  private Tensor firstMoments;
  private Tensor secondMoments;
  private Tensor clip;
  private long step;

  @Override
  void prepare() {
    parameters = random(PARAMETERS);
    gradient = random(PARAMETERS);
    firstMoments = zeros(PARAMETERS);
    secondMoments = zeros(PARAMETERS);
    clip = zeros(2);
    kernels.gradientClip(gradient, 1, clip);
  }

  /** {@code Kernels.gradientClip}. */
  @Benchmark
  public void gradientClip() {
    kernels.gradientClip(gradient, 1, clip);
  }

  /** {@code Kernels.adamw}. */
  @Benchmark
  public void adamw() {
    step++;
    kernels.adamw(
        parameters, gradient, firstMoments, secondMoments, groups, 0.9f, 0.999f, 1e-8f, step, clip);
  }
}
