package dev.sidefade.bench;

import static java.lang.foreign.ValueLayout.JAVA_INT;

import dev.sidefade.cuda.CudaContext;
import dev.sidefade.cuda.CudaDevice;
import dev.sidefade.cuda.CudaKernel;
import dev.sidefade.cuda.CudaLibrary;
import dev.sidefade.cuda.CudaModule;
import dev.sidefade.cuda.CudaStream;
import dev.sidefade.cuda.embed.CudaBackend;
import dev.sidefade.kernels.Kernels;
import dev.sidefade.tensor.DType;
import dev.sidefade.tensor.Tensor;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/**
 * What a launch costs the caller, over the emulated driver with launches that are checked and
 * forgotten ({@code bench/launch} builds it, names it and runs the same loop in C). Iterations are
 * short and many, so that some of them are not interrupted.
 */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Warmup(iterations = 400, time = 2, timeUnit = TimeUnit.MILLISECONDS)
@Measurement(iterations = 200, time = 2, timeUnit = TimeUnit.MILLISECONDS)
@Fork(value = 1, jvmArgsAppend = "--enable-native-access=ALL-UNNAMED")
public class LaunchBenchmark {
  private static final String FILE = "logit_distillation";

  /** (student, teacher, labels, settings, gradient, losses, long long rows, int classes). */
  private static final String KERNEL = "logit_distillation_rows_f32";

  private static final long ADDRESS = 0x10000;
  private static final int ELEMENTS = 1024;

  private CudaContext context;
  private CudaStream stream;
  private CudaKernel kernel;
  private CudaBackend backend;
  private Kernels kernels;
  private Tensor x;
  private Tensor y;
  private long count;

  /** Opens the driver and sets it to launches that do nothing. */
  @Setup
  public void open() {
    context = CudaContext.open(CudaDevice.get(0));
    stream = CudaStream.create(context);
    kernel = CudaModule.load(context, FILE).kernel(KERNEL);
    backend = CudaBackend.on(stream);
    kernels = backend.kernels();
    // never touched, since nothing runs
    x = backend.tensor(ADDRESS, DType.F32, ELEMENTS);
    y = backend.tensor(2 * ADDRESS, DType.F32, ELEMENTS);
    doNothing();
    setAndLaunch();
  }

  @SuppressWarnings("restricted")
  private static void doNothing() {
    String driver = System.getProperty(CudaLibrary.DRIVER_PROPERTY);
    if (driver == null) {
      throw new IllegalStateException(
          "no emulated driver is named by " + CudaLibrary.DRIVER_PROPERTY + ": use bench/launch");
    }
    MemorySegment noop =
        SymbolLookup.libraryLookup(driver, Arena.global()).findOrThrow("sidefade_emulation_noop");
    try {
      Linker.nativeLinker()
          .downcallHandle(noop, FunctionDescriptor.ofVoid(JAVA_INT))
          .invokeExact(1);
    } catch (Throwable e) {
      throw new IllegalStateException("sidefade_emulation_noop failed", e);
    }
  }

  /** Gives everything back. */
  @TearDown
  public void close() {
    backend.close();
    context.close();
  }

  /** All eight arguments anew, and the launch: what bench/peers/launch.c does too. */
  @Benchmark
  public void setAndLaunch() {
    long i = count++;
    kernel.set(0, ADDRESS + i);
    kernel.set(1, ADDRESS + 1 + i);
    kernel.set(2, ADDRESS + 2 + i);
    kernel.set(3, ADDRESS + 3 + i);
    kernel.set(4, ADDRESS + 4 + i);
    kernel.set(5, ADDRESS + 5 + i);
    kernel.set(6, i);
    kernel.set(7, (int) i);
    kernel.launch(stream, 1 + (int) (i & 1023), 1, 1, 128, 0);
  }

  /** The launch with the arguments of before. */
  @Benchmark
  public void launch() {
    kernel.launch(stream, 1, 1, 1, 128, 0);
  }

  /** An operation with one launch of three arguments: its checks of tensors come on top. */
  @Benchmark
  public void operation() {
    kernels.add(x, y);
  }
}
