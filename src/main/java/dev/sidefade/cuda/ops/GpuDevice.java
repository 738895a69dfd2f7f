package dev.sidefade.cuda.ops;

import dev.sidefade.cuda.Cublas;
import dev.sidefade.cuda.CudaAccounting;
import dev.sidefade.cuda.CudaContext;
import dev.sidefade.cuda.CudaDevice;
import dev.sidefade.cuda.CudaStream;
import dev.sidefade.cuda.DeviceBuffer;
import dev.sidefade.cuda.MemoryPool;
import dev.sidefade.kernels.CudaQueue;
import dev.sidefade.kernels.Device;
import dev.sidefade.kernels.Kernels;
import dev.sidefade.kernels.Upload;
import dev.sidefade.tensor.DType;
import dev.sidefade.tensor.Shape;
import dev.sidefade.tensor.Storage;
import dev.sidefade.tensor.Tensor;
import dev.sidefade.tensor.Transfer;
import java.lang.foreign.MemorySegment;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;

/** A GPU: a compute stream with all operations in order, and a stream for copies beside it. */
public final class GpuDevice implements Device {
  /** The default stream that synchronises with all others, by its two handles of cuda.h. */
  private static final Set<Long> LEGACY_STREAM = Set.of(0L, 1L);

  /** The default stream of whichever thread calls, of cuda.h. */
  private static final long PER_THREAD_STREAM = 2;

  private final CudaContext cuda;
  private final CudaStream stream;
  private final CudaStream copies;
  private final MemoryPool pool;
  private final PinnedMemory pinned;
  private final Queue queue;
  private final Context context;
  private final StepGraphs steps;
  private final CudaKernels kernels;
  private final Transfer transfer = new InStreamOrder();

  private GpuDevice(CudaContext cuda, CudaStream stream) {
    this.cuda = cuda;
    this.stream = stream;
    copies = CudaStream.create(cuda);
    pool = MemoryPool.create(cuda, Long.MAX_VALUE);
    pinned = new PinnedMemory(cuda, copies);
    queue = new Queue(stream, Cublas.create(stream));
    HostValues values = new HostValues(cuda, queue);
    queue.use(values);
    Scratch scratch = new Scratch(this::scratchBlock);
    context = new Context(cuda, queue, values, scratch);
    steps = new StepGraphs(queue, values);
    kernels = new CudaKernels(context);
  }

  /** Opens a device; closing the result closes everything on it. */
  static GpuDevice open(CudaDevice device) {
    return open(device, CudaStream::create);
  }

  /**
   * Opens a device whose operations are enqueued on a stream of somebody else in the primary
   * context. Closing the result closes what it made there itself.
   *
   * @param stream the CUstream as a number
   */
  public static GpuDevice on(CudaDevice device, long stream) {
    if (stream == PER_THREAD_STREAM) {
      throw new IllegalArgumentException(
          "stream 2 (CU_STREAM_PER_THREAD) is another one in every thread; make one with"
              + " cuStreamCreate");
    }
    return open(device, cuda -> CudaStream.wrap(cuda, stream));
  }

  private static GpuDevice open(CudaDevice device, Function<CudaContext, CudaStream> stream) {
    CudaContext cuda = CudaContext.open(device);
    try {
      return new GpuDevice(cuda, stream.apply(cuda));
    } catch (RuntimeException | Error e) {
      try {
        cuda.close();
      } catch (RuntimeException second) {
        e.addSuppressed(second);
      }
      throw e;
    }
  }

  private Scratch.Block scratchBlock(long bytes) {
    DeviceBuffer buffer = pool.allocate(stream, bytes);
    return new Scratch.Block(buffer.address(), buffer.bytes(), buffer::close);
  }

  @Override
  public String name() {
    return "cuda, " + cuda.device().describe();
  }

  @Override
  public Tensor allocate(DType dtype, Shape shape) {
    long bytes = Math.multiplyExact(shape.size(), dtype.bytes());
    queue.outside("memory is allocated");
    DeviceBuffer buffer = pool.allocate(stream, Math.max(bytes, 1));
    context.zero(buffer.address(), bytes);
    return Tensor.owning(
        shape, dtype, Storage.device(buffer.address(), bytes, transfer, () -> giveBack(buffer)));
  }

  /** A tensor over device memory of somebody else, who gives it back when nothing uses it. */
  public Tensor wrap(long address, DType dtype, Shape shape) {
    long bytes = Math.multiplyExact(shape.size(), dtype.bytes());
    return Tensor.owning(shape, dtype, Storage.device(address, bytes, transfer, () -> {}));
  }

  /** Hands the device to the calling thread; the one that had it must be done with it. */
  public void takeOver() {
    cuda.takeOver();
  }

  private void giveBack(DeviceBuffer buffer) {
    queue.outside("memory is given back");
    buffer.close();
  }

  @Override
  public Tensor allocateHost(DType dtype, Shape shape) {
    return pinned.allocate(dtype, shape);
  }

  @Override
  public boolean onHost() {
    return false;
  }

  @Override
  public void step(Object key, Runnable body) {
    if (LEGACY_STREAM.contains(stream.handle())) {
      // it cannot be captured
      body.run();
    } else {
      steps.run(key, body);
    }
  }

  @Override
  public Upload upload() {
    return new GpuUpload(cuda, queue, copies, pinned);
  }

  @Override
  public Optional<CudaQueue> queue() {
    queue.outside("another library enqueues work");
    return Optional.of(new CudaQueue(cuda.device().ordinal(), stream.handle()));
  }

  @Override
  public Kernels kernels() {
    return kernels;
  }

  @Override
  public long liveBytes() {
    return cuda.accounting().deviceBytes();
  }

  @Override
  public long peakBytes() {
    return cuda.accounting().peakDeviceBytes();
  }

  @Override
  public void resetPeak() {
    cuda.accounting().resetPeak();
  }

  /** What is alive in its context; nothing once the device is closed. */
  public CudaAccounting accounting() {
    return cuda.accounting();
  }

  /** How steps were run so far. */
  public StepCounts stepCounts() {
    return steps.counts();
  }

  /** Its operations' context, for tests of this package. */
  Context context() {
    return context;
  }

  @Override
  public void close() {
    if (!cuda.isOpen()) {
      return;
    }
    try {
      cuda.synchronize();
      steps.close();
      context.close();
    } finally {
      // with all that is left: cuBLAS, memory, streams
      cuda.close();
    }
  }

  /** Host access in the order of the operations, outside of recorded steps. */
  private final class InStreamOrder implements Transfer {
    @Override
    public void toHost(long address, MemorySegment target) {
      queue.outside("a tensor is read by the host");
      if (target.byteSize() > 0) {
        stream.download(address, target);
      }
    }

    @Override
    public void toDevice(MemorySegment source, long address) {
      queue.outside("a tensor is written by the host");
      if (source.byteSize() > 0) {
        stream.upload(source, address);
      }
    }

    @Override
    public void within(long from, long to, long bytes) {
      context.copy(from, to, bytes);
    }

    @Override
    public void zero(long address, long bytes) {
      context.zero(address, bytes);
    }
  }
}
