package dev.sidefade.bench;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.sidefade.tensor.Tensor;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What is timed against each other computes the same. */
class FusedTest {
  private static void open(OnDevice benchmark) {
    benchmark.device = "cpu";
    benchmark.threads = 2;
    benchmark.open();
  }

  private static float[] copy(Tensor tensor) {
    return tensor.toFloats();
  }

  private static void near(float[] expected, float[] actual) {
    double largest = 0;
    for (float value : expected) {
      largest = Math.max(largest, Math.abs(value));
    }
    assertArrayEquals(expected, actual, (float) (2e-5 * largest));
  }

  @ParameterizedTest
  @ValueSource(strings = {"A", "M"})
  void blocksAndFeatures(String shape) {
    FusedBenchmark benchmark = new FusedBenchmark();
    benchmark.shape = shape;
    open(benchmark);
    try {
      benchmark.adapter();
      float[] z = copy(benchmark.z);
      benchmark.adapterUnfused();
      near(z, copy(benchmark.z));

      benchmark.adapterBackward();
      float[] dx = copy(benchmark.dx);
      float[] dGamma = copy(benchmark.gradients.gamma());
      float[] dW1 = copy(benchmark.gradients.w1());
      benchmark.adapterBackwardUnfused();
      near(dx, copy(benchmark.dx));
      near(dGamma, copy(benchmark.gradients.gamma()));
      near(dW1, copy(benchmark.gradients.w1()));

      benchmark.featureMatching();
      float[] dDown = copy(benchmark.dDown);
      float[] dUp = copy(benchmark.dUp);
      float[] dFeatures = copy(benchmark.dFeatures);
      benchmark.dFeatures.zero();
      benchmark.featureMatchingUnfused();
      near(dDown, copy(benchmark.dDown));
      near(dUp, copy(benchmark.dUp));
      near(dFeatures, copy(benchmark.dFeatures));
      double loss = benchmark.featureLoss.get(0);
      assertEquals(loss, benchmark.unfusedSquares() / 2, 1e-4 * loss);
    } finally {
      benchmark.close();
    }
  }

  @Test
  void logits() {
    FusedLogitBenchmark benchmark = new FusedLogitBenchmark();
    benchmark.shape = "256x10";
    open(benchmark);
    try {
      benchmark.logitDistillation();
      benchmark.logitDistillationUnfused();
      near(copy(benchmark.gradient), copy(benchmark.unfused));
    } finally {
      benchmark.close();
    }
  }

  @Test
  void theBackboneIsForwardBackwardCachedAndExported() throws Exception {
    BackboneBenchmark benchmark = new BackboneBenchmark();
    open(benchmark);
    try {
      benchmark.forward();
      benchmark.gradientsOfNorms();
      benchmark.gradientsOfLowRank();
      assertEquals(64, benchmark.featuresLive());
      assertEquals(64, benchmark.featuresCached());
      benchmark.export();
    } finally {
      benchmark.close();
    }
  }

  /** The GPU's benchmarks run on any device. */
  @ParameterizedTest
  @ValueSource(strings = {"layerNorm", "adapterBackward", "attention", "featureMatching"})
  void manyTimesInOneStep(String operation) {
    GpuBenchmark benchmark = new GpuBenchmark();
    benchmark.device = "cpu";
    benchmark.shape = "A";
    benchmark.operation = operation;
    benchmark.open();
    try {
      benchmark.repeated();
    } finally {
      benchmark.close();
    }
  }
}
