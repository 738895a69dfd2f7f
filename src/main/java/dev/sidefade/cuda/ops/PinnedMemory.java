package dev.sidefade.cuda.ops;

import dev.sidefade.cuda.CudaContext;
import dev.sidefade.cuda.CudaStream;
import dev.sidefade.cuda.PinnedBuffer;
import dev.sidefade.tensor.DType;
import dev.sidefade.tensor.Shape;
import dev.sidefade.tensor.Storage;
import dev.sidefade.tensor.Tensor;
import java.util.Map;
import java.util.TreeMap;

/** Host tensors in page-locked memory, and which of it a host tensor lies in. */
final class PinnedMemory {
  private final CudaContext context;
  private final CudaStream copies;

  /** By first address. */
  private final TreeMap<Long, PinnedBuffer> buffers = new TreeMap<>();

  /**
   * @param copies the stream whose copies may still read memory that is given back
   */
  PinnedMemory(CudaContext context, CudaStream copies) {
    this.context = context;
    this.copies = copies;
  }

  /** A tensor of zeros. */
  Tensor allocate(DType dtype, Shape shape) {
    long bytes = Math.multiplyExact(shape.size(), dtype.bytes());
    PinnedBuffer buffer = PinnedBuffer.allocate(context, Math.max(bytes, 1));
    buffer.segment().fill((byte) 0);
    long address = buffer.segment().address();
    buffers.put(address, buffer);
    return Tensor.owning(
        shape,
        dtype,
        Storage.host(buffer.segment().asSlice(0, bytes), () -> giveBack(address, buffer)));
  }

  private void giveBack(long address, PinnedBuffer buffer) {
    buffers.remove(address);
    if (buffer.isOpen()) {
      copies.synchronize();
      buffer.close();
    }
  }

  /**
   * Copies a host tensor to a device address on the stream for copies: beside other work where it
   * is page-locked, otherwise at once.
   */
  void upload(Tensor source, long target) {
    Map.Entry<Long, PinnedBuffer> entry = buffers.floorEntry(source.address());
    if (entry != null && source.address() < entry.getKey() + entry.getValue().bytes()) {
      long offset = source.address() - entry.getKey();
      copies.upload(entry.getValue(), offset, target, source.bytes());
    } else {
      copies.upload(source.segment(), target);
    }
  }
}
