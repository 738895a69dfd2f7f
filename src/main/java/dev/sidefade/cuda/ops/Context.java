package dev.sidefade.cuda.ops;

import dev.sidefade.cuda.CudaContext;
import dev.sidefade.cuda.CudaKernel;
import dev.sidefade.cuda.CudaModule;
import java.util.LinkedHashMap;
import java.util.Map;

/** What every operation needs: kernels, the queue to the device, scratch, values of the host. */
final class Context implements AutoCloseable {
  private final CudaContext cuda;
  private final Queue queue;
  private final HostValues values;
  private final Scratch scratch;
  private final Launch launch;
  private final Call call = new Call();
  private final Map<String, CudaModule> modules = new LinkedHashMap<>();

  Context(CudaContext cuda, Queue queue, HostValues values, Scratch scratch) {
    this.cuda = cuda;
    this.queue = queue;
    this.values = values;
    this.scratch = scratch;
    launch = new Launch(queue);
  }

  /** The kernel {@code name} of {@code file}; to be asked for once and kept. */
  CudaKernel kernel(String file, String name) {
    return modules.computeIfAbsent(file, f -> CudaModule.load(cuda, f)).kernel(name);
  }

  /** Starts a launch: arguments in order, then {@link Launch#on}. */
  Launch launch(CudaKernel kernel) {
    return launch.begin(kernel);
  }

  /** Values of the host for this call. */
  HostValues values() {
    return values;
  }

  /** Device memory for the inside of an operation. */
  Scratch scratch() {
    return scratch;
  }

  /** Sets bytes to zero, in stream order. */
  void zero(long address, long bytes) {
    if (bytes > 0) {
      queue.submit(call.begin(Call.Kind.ZERO, null).int64(address).int64(bytes));
    }
  }

  /** Copies within the device, in stream order; the two must not overlap. */
  void copy(long from, long to, long bytes) {
    if (bytes > 0) {
      queue.submit(call.begin(Call.Kind.COPY, null).int64(from).int64(to).int64(bytes));
    }
  }

  /**
   * Row-major c = op(a) op(b) + beta c, F32.
   *
   * @param a [m, k], or [k, m] when transposed
   * @param b [k, n], or [n, k] when transposed
   * @param c [m, n]; not read when beta is 0
   */
  void gemm(
      long a,
      boolean transposeA,
      long b,
      boolean transposeB,
      long c,
      long m,
      long n,
      long k,
      float beta) {
    if (m == 0 || n == 0) {
      return;
    }
    if (k == 0) {
      if (beta == 0) {
        zero(c, 4 * Math.multiplyExact(m, n));
      }
      return;
    }
    queue.submit(
        call.begin(Call.Kind.GEMM, null)
            .int64(a)
            .int32(transposeA ? 1 : 0)
            .int64(b)
            .int32(transposeB ? 1 : 0)
            .int64(c)
            .int64(m)
            .int64(n)
            .int64(k)
            .float32(beta));
  }

  @Override
  public void close() {
    modules.values().forEach(CudaModule::close);
    modules.clear();
    values.close();
    scratch.close();
  }
}
