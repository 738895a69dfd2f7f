package dev.sidefade.bench;

import dev.sidefade.kernels.Distillation;
import dev.sidefade.tensor.Tensor;
import java.util.Arrays;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Param;

/** Cross-entropy and distillation in one call, and in two with the sum of their gradients. */
public class FusedLogitBenchmark extends OnDevice {
  /** Batch x classes. */
  @Param({"256x10", "4096x1000", "8192x32000"})
  public String shape;

  Tensor gradient;
  Tensor unfused;
  private final Distillation both = new Distillation(2, 1, 1, 0);
  private final Distillation alone = new Distillation(2, 0, 1, 0);
  private final Distillation taught = new Distillation(2, 1, 0, 0);
  private Tensor student, teacher, losses, second;
  private int[] labels;
  private int[] none;

  @Override
  void prepare() {
    String[] dims = shape.split("x", 2);
    int batch = Integer.parseInt(dims[0]);
    int classes = Integer.parseInt(dims[1]);
    student = random(batch, classes);
    teacher = random(batch, classes);
    losses = zeros(2);
    gradient = zeros(batch, classes);
    unfused = zeros(batch, classes);
    second = zeros(batch, classes);
    labels = new int[batch];
    Arrays.setAll(labels, i -> i % classes);
    none = new int[batch];
    Arrays.fill(none, -1);
  }

  /** Both terms at once. */
  @Benchmark
  public void logitDistillation() {
    kernels.logitDistillation(student, teacher, labels, both, losses, gradient);
  }

  /** Cross-entropy, then distillation, then the sum. */
  @Benchmark
  public void logitDistillationUnfused() {
    kernels.logitDistillation(student, null, labels, alone, losses, unfused);
    kernels.logitDistillation(student, teacher, none, taught, losses, second);
    kernels.add(second, unfused);
  }
}
