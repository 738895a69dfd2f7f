package dev.sidefade.bench;

import dev.sidefade.kernels.Distillation;
import dev.sidefade.tensor.Tensor;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Param;

/**
 * Cross-entropy and distillation, value and gradient, for few, a thousand and a vocabulary of
 * classes.
 */
public class LogitBenchmark extends OnDevice {
  /** Batch x classes. */
  @Param({"256x10", "4096x1000", "8192x32000"})
  public String shape;

  private final Distillation weights = new Distillation(2, 1, 1, 0.1f);
  private Tensor student;
  private Tensor teacher;
  private Tensor losses;
  private Tensor gradient;
  private int[] labels;

  @Override
  void prepare() {
    String[] dims = shape.split("x", 2);
    int batch = Integer.parseInt(dims[0]);
    int classes = Integer.parseInt(dims[1]);
    student = random(batch, classes);
    teacher = random(batch, classes);
    losses = zeros(2);
    gradient = zeros(batch, classes);
    labels = new int[batch];
    for (int i = 0; i < batch; i++) {
      labels[i] = i % classes;
    }
  }

  /** {@code Kernels.logitDistillation}. */
  @Benchmark
  public void logitDistillation() {
    kernels.logitDistillation(student, teacher, labels, weights, losses, gradient);
  }
}
