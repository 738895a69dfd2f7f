package dev.sidefade.bench;

import dev.sidefade.tensor.Tensor;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OperationsPerInvocation;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/**
 * Operations on a GPU: each many times in one step, which the device remembers as a graph, then a
 * wait for the end. So the time is the GPU's, not that of launching. What repeats reads the same
 * tensors: those that are smaller than the cache are read from it.
 */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Warmup(iterations = 2, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(
    value = 2,
    jvmArgsAppend = {
      "--enable-native-access=ALL-UNNAMED",
      "--add-modules=jdk.incubator.vector",
      "-Xmx2g"
    })
public class GpuBenchmark {
  /** In one step. */
  static final int REPEATS = 20;

  /** Name of the device. */
  @Param("cuda")
  public String device;

  /** What is repeated. */
  @Param({
    "layerNorm",
    "layerNormBackward",
    "gelu",
    "geluBackward",
    "linear",
    "linearBackward",
    "ladderProject",
    "ladderProjectBackward",
    "ladderMix",
    "ladderMixBackward",
    "adapter",
    "adapterBackward",
    "attention",
    "attentionBackward",
    "featureMatching",
    "insertMaskToken",
    "insertMaskTokenBackward"
  })
  public String operation;

  /** Of the workload. */
  @Param({"A", "B", "M"})
  public String shape;

  private OnDevice tensors;
  private Runnable body;
  private Runnable wait;

  /** Makes the tensors. */
  @Setup
  public void open() {
    Runnable once = choose();
    Tensor end = tensors.zeros(1);
    body =
        () -> {
          for (int i = 0; i < REPEATS; i++) {
            once.run();
          }
        };
    wait = () -> end.get(0);
  }

  private Runnable choose() {
    return switch (operation) {
      case "layerNorm" -> on(new TokenBenchmark(), TokenBenchmark::layerNorm);
      case "layerNormBackward" -> on(new TokenBenchmark(), TokenBenchmark::layerNormBackward);
      case "gelu" -> on(new TokenBenchmark(), TokenBenchmark::gelu);
      case "geluBackward" -> on(new TokenBenchmark(), TokenBenchmark::geluBackward);
      case "linear" -> on(new LinearBenchmark(), LinearBenchmark::linear);
      case "linearBackward" -> on(new LinearBenchmark(), LinearBenchmark::linearBackward);
      case "ladderProject" -> on(new LadderBenchmark(), LadderBenchmark::ladderProject);
      case "ladderProjectBackward" ->
          on(new LadderBenchmark(), LadderBenchmark::ladderProjectBackward);
      case "ladderMix" -> on(new LadderBenchmark(), LadderBenchmark::ladderMix);
      case "ladderMixBackward" -> on(new LadderBenchmark(), LadderBenchmark::ladderMixBackward);
      case "adapter" -> on(new AdapterBenchmark(), AdapterBenchmark::adapter);
      case "adapterBackward" -> on(new AdapterBenchmark(), AdapterBenchmark::adapterBackward);
      case "attention" -> on(new AttentionBenchmark(), AttentionBenchmark::attention);
      case "attentionBackward" ->
          on(new AttentionBenchmark(), AttentionBenchmark::attentionBackward);
      case "featureMatching" -> on(new FeatureBenchmark(), FeatureBenchmark::featureMatching);
      case "insertMaskToken" -> on(new FeatureBenchmark(), FeatureBenchmark::insertMaskToken);
      case "insertMaskTokenBackward" ->
          on(new FeatureBenchmark(), FeatureBenchmark::insertMaskTokenBackward);
      default -> throw new IllegalArgumentException("there is no operation " + operation);
    };
  }

  private <B extends OnWorkload> Runnable on(B benchmark, java.util.function.Consumer<B> call) {
    benchmark.device = device;
    benchmark.threads = 1;
    benchmark.shape = shape;
    benchmark.open();
    tensors = benchmark;
    return () -> call.accept(benchmark);
  }

  /** The operation, many times. */
  @Benchmark
  @OperationsPerInvocation(REPEATS)
  public void repeated() {
    tensors.opened.step(operation, body);
    wait.run();
  }

  /** Gives everything back. */
  @TearDown
  public void close() {
    tensors.close();
  }
}
