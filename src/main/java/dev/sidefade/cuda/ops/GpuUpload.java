package dev.sidefade.cuda.ops;

import dev.sidefade.cuda.CudaContext;
import dev.sidefade.cuda.CudaEvent;
import dev.sidefade.cuda.CudaStream;
import dev.sidefade.kernels.Upload;
import dev.sidefade.tensor.Tensor;

/** Copies on a stream of their own, ordered against the operations by events. */
final class GpuUpload implements Upload {
  private final Queue queue;
  private final CudaStream copies;
  private final PinnedMemory pinned;
  private final CudaEvent used;
  private final CudaEvent copied;

  /**
   * @param copies stream of the device for copies; not closed here
   */
  GpuUpload(CudaContext context, Queue queue, CudaStream copies, PinnedMemory pinned) {
    this.queue = queue;
    this.copies = copies;
    this.pinned = pinned;
    used = CudaEvent.create(context);
    copied = CudaEvent.create(context);
  }

  @Override
  public void begin() {
    copies.waitFor(used);
  }

  @Override
  public void copy(Tensor source, Tensor target) {
    if (source.dtype() != target.dtype() || source.size() != target.size()) {
      throw new IllegalArgumentException("cannot copy " + source + " into " + target);
    }
    if (!source.onHost() || target.onHost()) {
      throw new IllegalArgumentException(
          "an upload is from the host to the device, not from " + source + " to " + target);
    }
    if (source.size() > 0) {
      pinned.upload(source, target.address());
    }
  }

  @Override
  public void end() {
    queue.outside("an upload ends");
    copied.record(copies);
    queue.stream().waitFor(copied);
  }

  @Override
  public void used() {
    queue.outside("an upload is used up");
    used.record(queue.stream());
  }

  @Override
  public void await() {
    copied.synchronize();
  }

  @Override
  public void close() {
    if (copied.isOpen()) {
      // nothing may be under way when memory is given back behind this
      copies.synchronize();
      used.close();
      copied.close();
    }
  }
}
