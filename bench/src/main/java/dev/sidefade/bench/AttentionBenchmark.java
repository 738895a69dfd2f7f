package dev.sidefade.bench;

import dev.sidefade.tensor.Tensor;
import org.openjdk.jmh.annotations.Benchmark;

/** Multi-head self-attention of a transformer block. */
public class AttentionBenchmark extends OnWorkload {
  private Tensor qkv, out, dOut, dQkv;

  @Override
  void prepare(int rows, int tapWidth, int width) {
    qkv = random(rows, 3L * width);
    out = zeros(rows, width);
    dOut = random(rows, width);
    dQkv = zeros(rows, 3L * width);
  }

  /** {@code Kernels.attention}. */
  @Benchmark
  public void attention() {
    kernels.attention(qkv, layout, work.heads(), null, out);
  }

  /** {@code Kernels.attentionBackward}. */
  @Benchmark
  public void attentionBackward() {
    kernels.attentionBackward(qkv, layout, work.heads(), null, dOut, dQkv);
  }
}
