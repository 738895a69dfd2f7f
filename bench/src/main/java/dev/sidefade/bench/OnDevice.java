package dev.sidefade.bench;

import dev.sidefade.kernels.Device;
import dev.sidefade.kernels.Kernels;
import dev.sidefade.tensor.CounterRandom;
import dev.sidefade.tensor.Tensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/** An open device with tensors that are closed with it. */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(
    value = 2,
    jvmArgsAppend = {
      "--enable-native-access=ALL-UNNAMED",
      "--add-modules=jdk.incubator.vector",
      "-Xmx2g"
    })
public abstract class OnDevice {
  /** How many random numbers are made; larger tensors repeat them. */
  private static final int PERIOD = 1 << 20;

  /** Name of the device: operations of another one than the CPU are {@link GpuBenchmark}'s. */
  @Param("cpu")
  public String device;

  /** Threads of the device. */
  @Param("2")
  public int threads;

  Device opened;
  Kernels kernels;
  private final List<Tensor> owned = new ArrayList<>();

  /** Makes the tensors of the benchmark. */
  abstract void prepare();

  /** Looks at the result and closes what is not among {@link #zeros}. */
  void finish() {}

  /** Opens the device. */
  @Setup
  public void open() {
    opened = Device.open(device, threads);
    kernels = opened.kernels();
    prepare();
  }

  /** Gives everything back. */
  @TearDown
  public void close() {
    try {
      finish();
    } finally {
      owned.forEach(Tensor::close);
      opened.close();
    }
  }

  final Tensor zeros(long... dims) {
    return owned(opened.allocate(dims));
  }

  /** Closes it with the device. */
  final Tensor owned(Tensor tensor) {
    owned.add(tensor);
    return tensor;
  }

  /** Standard normal numbers, the same in every run. */
  final Tensor random(long... dims) {
    Tensor tensor = zeros(dims);
    float[] values = new float[Math.toIntExact(Math.min(PERIOD, tensor.size()))];
    for (int i = 0; i < values.length; i++) {
      values[i] = CounterRandom.normal(1, owned.size(), i);
    }
    fill(tensor, values);
    return tensor;
  }

  /** A tensor of one number. */
  final Tensor constant(float value, long... dims) {
    Tensor tensor = zeros(dims);
    float[] values = new float[Math.toIntExact(Math.min(PERIOD, tensor.size()))];
    Arrays.fill(values, value);
    fill(tensor, values);
    return tensor;
  }

  private static void fill(Tensor tensor, float[] values) {
    for (long from = 0; from < tensor.size(); from += values.length) {
      int count = Math.toIntExact(Math.min(values.length, tensor.size() - from));
      tensor
          .slice(from, count)
          .setFloats(count == values.length ? values : Arrays.copyOf(values, count));
    }
  }
}
