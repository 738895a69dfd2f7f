package dev.sidefade.onnx;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;

/** Collects the tensors that go into the file beside a model, and writes that file. */
final class ExternalDataWriter {
  /** Smaller tensors stay in the model: shape inference needs them there, and they cost nothing. */
  private static final long SMALLEST = 1024;

  /**
   * Large tensors begin where a memory page can begin on every system, so that readers can map
   * them.
   */
  private static final long LARGE = 1 << 20;

  private static final long LARGE_ALIGNMENT = 1 << 16;
  private static final long ALIGNMENT = 64;

  private record Placed(long offset, Initializer tensor) {}

  private final String fileName;
  private final List<Placed> tensors = new ArrayList<>();
  private long end;

  ExternalDataWriter(String fileName) {
    this.fileName = fileName;
  }

  static boolean takes(Initializer tensor) {
    return tensor.type().bits() > 0 && tensor.byteSize() >= SMALLEST;
  }

  /** Places a tensor and encodes it without its elements. */
  ProtoWriter add(Initializer tensor) {
    long length = tensor.byteSize();
    long alignment = length >= LARGE ? LARGE_ALIGNMENT : ALIGNMENT;
    long offset = Math.ceilDiv(end, alignment) * alignment;
    tensors.add(new Placed(offset, tensor));
    end = offset + length;
    ProtoWriter message = new ProtoWriter(tensor.fieldsWithoutElements());
    message.message(13, MetadataMap.entry("location", fileName));
    message.message(13, MetadataMap.entry("offset", Long.toString(offset)));
    message.message(13, MetadataMap.entry("length", Long.toString(length)));
    message.varint(14, 1);
    return message;
  }

  void writeTo(Path file) throws IOException {
    try (FileChannel channel =
        FileChannel.open(
            file,
            StandardOpenOption.CREATE,
            StandardOpenOption.TRUNCATE_EXISTING,
            StandardOpenOption.WRITE)) {
      for (Placed placed : tensors) {
        channel.position(placed.offset);
        MemorySegment data = placed.tensor.data();
        ProtoWriter.writeFully(channel, data);
      }
    }
  }
}
