package dev.sidefade.bench;

import dev.sidefade.bench.tables.Work;
import dev.sidefade.kernels.Device;
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

/** What a GPU copies within its memory, as {@link CopyBenchmark} on the processors. */
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
public class GpuCopyBenchmark {
  /** Name of the device. */
  @Param("cuda")
  public String device;

  private Device opened;
  private Tensor from;
  private Tensor to;

  /** Makes the tensors. */
  @Setup
  public void open() {
    opened = Device.open(device, 1);
    from = opened.allocate(Work.COPIED / Float.BYTES);
    to = opened.allocate(Work.COPIED / Float.BYTES);
  }

  /** Many copies, and a wait for the last. */
  @Benchmark
  @OperationsPerInvocation(GpuBenchmark.REPEATS)
  public float copy() {
    for (int i = 0; i < GpuBenchmark.REPEATS; i++) {
      to.copyFrom(from);
    }
    return to.get(0);
  }

  /** Gives everything back. */
  @TearDown
  public void close() {
    from.close();
    to.close();
    opened.close();
  }
}
