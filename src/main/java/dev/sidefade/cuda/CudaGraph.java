package dev.sidefade.cuda;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import dev.sidefade.cuda.ffi.CudaDriver;
import java.lang.foreign.Arena;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.StructLayout;

/**
 * Work that was recorded from a stream once and is launched as a whole. Addresses, sizes and
 * arguments are those of the recording; memory that it names must outlive it.
 */
public final class CudaGraph extends CudaResource {
  /** CUgraphExecUpdateResultInfo of cuda.h: result, then two nodes. */
  private static final StructLayout UPDATE_RESULT =
      MemoryLayout.structLayout(JAVA_INT, MemoryLayout.paddingLayout(4), ADDRESS, ADDRESS);

  private MemorySegment executable;
  private long nodes;

  private CudaGraph(CudaContext context, MemorySegment executable, long nodes) {
    super(context, Kind.GRAPH, 0);
    this.executable = executable;
    this.nodes = nodes;
  }

  /**
   * Records what {@code work} enqueues on a stream (and on streams that wait for its events and are
   * waited for again) without running it. While it records, memory must not be taken from or given
   * back to the driver and nothing may be waited for.
   *
   * @param stream the stream, of the same context
   * @param work enqueues what is to be recorded
   * @return the recording, to be closed
   * @throws CudaException if something was done that cannot be recorded
   */
  public static CudaGraph capture(CudaStream stream, Runnable work) {
    CudaContext context = stream.context();
    MemorySegment recorded = record(stream, work);
    try {
      long nodes = count(context, recorded);
      return new CudaGraph(context, instantiate(context, recorded), nodes);
    } finally {
      destroy(context, recorded);
    }
  }

  /** The recording, which the caller destroys. Ends the recording whatever happens. */
  private static MemorySegment record(CudaStream stream, Runnable work) {
    stream.requireUsable();
    CudaContext context = stream.context();
    int mode = CudaDriver.CU_STREAM_CAPTURE_MODE_THREAD_LOCAL();
    context.check(
        CudaDriver.cuStreamBeginCapture_v2(stream.segment(), mode), "cuStreamBeginCapture_v2", "");
    try {
      work.run();
    } catch (RuntimeException | Error e) {
      abandon(stream, e);
      throw e;
    }
    context.out().set(JAVA_LONG, 0, 0);
    context.check(
        CudaDriver.cuStreamEndCapture(stream.segment(), context.out()),
        "cuStreamEndCapture",
        "something was done that cannot be recorded in a graph");
    return context.outHandle();
  }

  private static void abandon(CudaStream stream, Throwable why) {
    CudaContext context = stream.context();
    context.out().set(JAVA_LONG, 0, 0);
    int code = CudaDriver.cuStreamEndCapture(stream.segment(), context.out());
    MemorySegment partial = context.outHandle();
    if (code == CudaDriver.CUDA_SUCCESS() && partial.address() != 0) {
      code = CudaDriver.cuGraphDestroy(partial);
    }
    if (code != CudaDriver.CUDA_SUCCESS()) {
      why.addSuppressed(context.failure(code, "cuStreamEndCapture", "recording was given up"));
    }
  }

  private static long count(CudaContext context, MemorySegment graph) {
    context.check(
        CudaDriver.cuGraphGetNodes(graph, MemorySegment.NULL, context.out()),
        "cuGraphGetNodes",
        "");
    return context.out().get(JAVA_LONG, 0);
  }

  private static MemorySegment instantiate(CudaContext context, MemorySegment graph) {
    int code = CudaDriver.cuGraphInstantiateWithFlags(context.out(), graph, 0);
    if (code == CudaDriver.CUDA_ERROR_OUT_OF_MEMORY()) {
      long used = context.accounting().deviceBytes();
      throw context.outOfMemory(code, "cuGraphInstantiateWithFlags", "a graph", 0, used);
    }
    context.check(code, "cuGraphInstantiateWithFlags", "");
    return context.outHandle();
  }

  private static void destroy(CudaContext context, MemorySegment graph) {
    context.checkRelease(CudaDriver.cuGraphDestroy(graph), "cuGraphDestroy", "");
  }

  /** {@return steps of the recording: launches, copies, fills} */
  public long nodes() {
    return nodes;
  }

  /**
   * Records again and takes the new arguments over. Where the steps are the same ones this is much
   * cheaper than a new graph; otherwise the graph is made anew.
   *
   * @param stream the stream, of the same context
   * @param work enqueues what is to be recorded
   * @return whether the steps were the same
   */
  public boolean update(CudaStream stream, Runnable work) {
    requireUsable();
    CudaContext context = context();
    MemorySegment recorded = record(stream, work);
    try (Arena call = Arena.ofConfined()) {
      nodes = count(context, recorded);
      MemorySegment result = call.allocate(UPDATE_RESULT);
      int code = CudaDriver.cuGraphExecUpdate_v2(executable, recorded, result);
      if (code == CudaDriver.CUDA_SUCCESS()) {
        return true;
      }
      if (DriverErrors.sticky(code)) {
        throw context.failure(code, "cuGraphExecUpdate_v2", "");
      }
      MemorySegment old = executable;
      executable = instantiate(context, recorded);
      context.checkRelease(CudaDriver.cuGraphExecDestroy(old), "cuGraphExecDestroy", "");
      return false;
    } finally {
      destroy(context, recorded);
    }
  }

  /**
   * Enqueues the whole recording on a stream.
   *
   * @param stream the stream, of the same context
   */
  public void launch(CudaStream stream) {
    requireUsable();
    stream.requireUsable();
    context().check(CudaDriver.cuGraphLaunch(executable, stream.segment()), "cuGraphLaunch", "");
  }

  @Override
  void release() {
    context().checkRelease(CudaDriver.cuGraphExecDestroy(executable), "cuGraphExecDestroy", "");
  }

  @Override
  public String toString() {
    return "graph of " + nodes + " nodes";
  }
}
