package dev.sidefade.cuda;

import static dev.sidefade.cuda.ffi.Cublas.CUBLAS_ATOMICS_NOT_ALLOWED;
import static dev.sidefade.cuda.ffi.Cublas.CUBLAS_DEFAULT_MATH;
import static dev.sidefade.cuda.ffi.Cublas.CUBLAS_OP_N;
import static dev.sidefade.cuda.ffi.Cublas.CUBLAS_OP_T;
import static dev.sidefade.cuda.ffi.Cublas.CUBLAS_POINTER_MODE_HOST;
import static dev.sidefade.cuda.ffi.Cublas.CUBLAS_STATUS_SUCCESS;
import static dev.sidefade.cuda.ffi.Cublas.cublasCreate_v2;
import static dev.sidefade.cuda.ffi.Cublas.cublasDestroy_v2;
import static dev.sidefade.cuda.ffi.Cublas.cublasGetStatusName;
import static dev.sidefade.cuda.ffi.Cublas.cublasGetStatusString;
import static dev.sidefade.cuda.ffi.Cublas.cublasGetVersion_v2;
import static dev.sidefade.cuda.ffi.Cublas.cublasSetAtomicsMode;
import static dev.sidefade.cuda.ffi.Cublas.cublasSetMathMode;
import static dev.sidefade.cuda.ffi.Cublas.cublasSetPointerMode_v2;
import static dev.sidefade.cuda.ffi.Cublas.cublasSetStream_v2;
import static dev.sidefade.cuda.ffi.Cublas.cublasSetWorkspace_v2;
import static dev.sidefade.cuda.ffi.Cublas.cublasSgemm_v2;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static java.lang.foreign.ValueLayout.JAVA_INT;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * Matrix products by cuBLAS on one stream. F32 with F32 arithmetic (no TF32), no atomics, and a
 * workspace of its own: the same product on the same device gives the same bits, also inside a
 * graph.
 */
public final class Cublas extends CudaResource {
  private static final int HOPPER = 9;
  // what cuBLAS recommends
  private static final long WORKSPACE_HOPPER = 32L << 20;
  private static final long WORKSPACE = 4L << 20;

  private final CudaStream stream;
  private final MemorySegment handle;
  private final DeviceBuffer workspace;
  private final Arena arena = Arena.ofShared();
  private final MemorySegment alpha = arena.allocateFrom(JAVA_FLOAT, 1f);
  private final MemorySegment beta = arena.allocate(JAVA_FLOAT);

  private Cublas(CudaStream stream, MemorySegment handle, DeviceBuffer workspace) {
    super(stream.context(), Kind.CUBLAS, 0);
    this.stream = stream;
    this.handle = handle;
    this.workspace = workspace;
  }

  /**
   * Opens cuBLAS on a stream.
   *
   * @param stream the stream, of the same context
   * @return the handle, to be closed
   * @throws CudaUnavailableException if it was not found, with every place that was tried
   */
  public static Cublas create(CudaStream stream) {
    stream.requireUsable();
    CublasLibrary.unavailable()
        .ifPresent(why -> {
          throw new CudaUnavailableException(why);
        });
    CudaContext context = stream.context();
    long bytes = context.device().major() >= HOPPER ? WORKSPACE_HOPPER : WORKSPACE;
    DeviceBuffer workspace = DeviceBuffer.allocate(context, bytes);
    int status = cublasCreate_v2(context.out());
    if (status != CUBLAS_STATUS_SUCCESS()) {
      workspace.close();
      throw failure(status, "cublasCreate_v2", "");
    }
    Cublas cublas = new Cublas(stream, context.outHandle(), workspace);
    try {
      cublas.configure();
    } catch (CudaException e) {
      cublas.close();
      throw e;
    }
    return cublas;
  }

  private void configure() {
    check(cublasSetStream_v2(handle, stream.segment()), "cublasSetStream_v2");
    // behind the stream: setting that brings back a workspace of cuBLAS's own
    MemorySegment memory = MemorySegment.ofAddress(workspace.address());
    check(cublasSetWorkspace_v2(handle, memory, workspace.bytes()), "cublasSetWorkspace_v2");
    check(cublasSetPointerMode_v2(handle, CUBLAS_POINTER_MODE_HOST()), "cublasSetPointerMode_v2");
    check(cublasSetAtomicsMode(handle, CUBLAS_ATOMICS_NOT_ALLOWED()), "cublasSetAtomicsMode");
    check(cublasSetMathMode(handle, CUBLAS_DEFAULT_MATH()), "cublasSetMathMode");
  }

  /**
   * Row-major {@code c [m, n] = op(a) op(b) + beta c}, enqueued.
   *
   * @param a device address of [m, k], or [k, m] if {@code transposeA}
   * @param transposeA whether a is transposed
   * @param b device address of [k, n], or [n, k] if {@code transposeB}
   * @param transposeB whether b is transposed
   * @param c device address of [m, n]; not read if beta is 0
   * @param m rows of c
   * @param n columns of c
   * @param k length of the sums
   * @param beta factor of what c was before
   */
  public void gemm(
      long a,
      boolean transposeA,
      long b,
      boolean transposeB,
      long c,
      long m,
      long n,
      long k,
      float beta) {
    requireUsable();
    if (m == 0 || n == 0) {
      return;
    }
    int rows = size(m);
    int columns = size(n);
    int inner = size(k);
    this.beta.set(JAVA_FLOAT, 0, beta);
    // cuBLAS is column-major, where these matrices are their own transposes: c' = op(b)' op(a)'
    int status =
        cublasSgemm_v2(
            handle,
            transposeB ? CUBLAS_OP_T() : CUBLAS_OP_N(),
            transposeA ? CUBLAS_OP_T() : CUBLAS_OP_N(),
            columns,
            rows,
            inner,
            alpha,
            MemorySegment.ofAddress(b),
            Math.max(1, transposeB ? inner : columns),
            MemorySegment.ofAddress(a),
            Math.max(1, transposeA ? rows : inner),
            this.beta,
            MemorySegment.ofAddress(c),
            columns);
    if (status != CUBLAS_STATUS_SUCCESS()) {
      throw failure(
          status, "cublasSgemm_v2", "product of [" + m + ", " + k + "] and [" + k + ", " + n + "]");
    }
  }

  private static int size(long n) {
    if (n < 0 || n > Integer.MAX_VALUE) {
      throw new IllegalArgumentException(
          "a matrix for cuBLAS has at most " + Integer.MAX_VALUE + " rows and columns, not " + n);
    }
    return (int) n;
  }

  /** {@return version of cuBLAS in its own count, for example 130100} */
  public int version() {
    requireUsable();
    MemorySegment out = context().out();
    check(cublasGetVersion_v2(handle, out), "cublasGetVersion_v2");
    return out.get(JAVA_INT, 0);
  }

  private static void check(int status, String call) {
    if (status != CUBLAS_STATUS_SUCCESS()) {
      throw failure(status, call, "");
    }
  }

  private static CudaException failure(int status, String call, String detail) {
    String name = text(cublasGetStatusName(status));
    String said = text(cublasGetStatusString(status));
    return new CudaException(status, name, call, detail.isEmpty() ? said : said + "; " + detail);
  }

  private static String text(MemorySegment string) {
    return string.address() == 0 ? "no name" : string.reinterpret(Long.MAX_VALUE).getString(0);
  }

  @Override
  void release() {
    int status = cublasDestroy_v2(handle);
    arena.close();
    if (workspace.isOpen()) {
      workspace.close();
    }
    if (status != CUBLAS_STATUS_SUCCESS() && !context().isLost()) {
      throw failure(status, "cublasDestroy_v2", "");
    }
  }

  @Override
  public String toString() {
    return "cuBLAS handle on " + stream;
  }
}
