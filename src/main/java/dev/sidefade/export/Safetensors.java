package dev.sidefade.export;

import dev.sidefade.tensor.AtomicFile;
import dev.sidefade.tensor.BadInputException;
import dev.sidefade.tensor.Shape;
import dev.sidefade.tensor.Tensor;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.TreeMap;

/**
 * Files of named F32 tensors in the safetensors format: the length of a JSON header, the header,
 * then the elements, without gaps. The same content always gives the same bytes: tensors and texts
 * are sorted by name.
 */
public final class Safetensors {
  private static final ValueLayout.OfFloat FLOAT =
      ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ValueLayout.OfLong LONG =
      ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  private Safetensors() {}

  /**
   * A tensor with its elements, which are not copied.
   *
   * @param values row-major
   * @param dims outermost first; none for a scalar
   */
  public record Entry(float[] values, long... dims) {
    /** Checks that the values fill the shape. */
    public Entry {
      dims = dims.clone();
      if (Shape.of(dims).size() != values.length) {
        throw new IllegalArgumentException(
            values.length + " values for a tensor of shape " + Shape.of(dims));
      }
    }

    /**
     * {@return a copy of an F32 host tensor}
     *
     * @param tensor F32, on the host
     */
    public static Entry of(Tensor tensor) {
      return new Entry(tensor.toFloats(), tensor.shape().toArray());
    }

    /** {@return a copy of the dimensions, outermost first} */
    @Override
    public long[] dims() {
      return dims.clone();
    }
  }

  /**
   * What a file holds.
   *
   * @param metadata free texts
   * @param tensors by name, in the order of their elements in the file
   */
  public record Content(Map<String, String> metadata, Map<String, Entry> tensors) {
    /** Copies the maps, whose order stays. */
    public Content {
      metadata = Collections.unmodifiableMap(new LinkedHashMap<>(metadata));
      tensors = Collections.unmodifiableMap(new LinkedHashMap<>(tensors));
    }
  }

  /**
   * Writes a file, whole or not at all.
   *
   * @param file the file
   * @param tensors by name
   * @param metadata free texts by name
   * @throws IOException if the file cannot be written
   */
  public static void write(Path file, Map<String, Entry> tensors, Map<String, String> metadata)
      throws IOException {
    Map<String, Entry> sorted = new TreeMap<>(tensors);
    byte[] header = SafetensorsHeader.encode(sorted, metadata);
    AtomicFile.write(
        file,
        path -> {
          try (FileChannel channel =
              FileChannel.open(
                  path,
                  StandardOpenOption.CREATE,
                  StandardOpenOption.TRUNCATE_EXISTING,
                  StandardOpenOption.WRITE)) {
            ByteBuffer start = ByteBuffer.allocate(8).order(ByteOrder.LITTLE_ENDIAN);
            writeAll(channel, start.putLong(header.length).flip());
            writeAll(channel, ByteBuffer.wrap(header));
            for (Entry entry : sorted.values()) {
              writeValues(channel, entry.values());
            }
          }
        });
  }

  /**
   * Reads a file.
   *
   * @param file the file
   * @return what the file holds
   * @throws BadInputException if it is missing, is no complete safetensors file or has tensors that
   *     are not F32
   * @throws IOException if the file cannot be read
   */
  public static Content read(Path file) throws IOException {
    if (!Files.isRegularFile(file)) {
      throw new BadInputException("there is no file " + file + "; check the path");
    }
    try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ);
        Arena arena = Arena.ofConfined()) {
      MemorySegment bytes = channel.map(FileChannel.MapMode.READ_ONLY, 0, channel.size(), arena);
      return parse(file.toString(), bytes);
    }
  }

  /**
   * Reads a file's bytes.
   *
   * @param source what to call them in complaints
   */
  static Content parse(String source, MemorySegment bytes) {
    long length = bytes.byteSize() < 8 ? -1 : bytes.get(LONG, 0);
    if (length < 2 || length > bytes.byteSize() - 8) {
      throw SafetensorsHeader.malformed(
          source,
          "its header has an impossible length for a file of " + bytes.byteSize() + " bytes");
    }
    if (length > SafetensorsHeader.LONGEST) {
      throw SafetensorsHeader.malformed(
          source, "its header has " + length + " bytes, which is too long");
    }
    byte[] text = bytes.asSlice(8, length).toArray(ValueLayout.JAVA_BYTE);
    MemorySegment data = bytes.asSlice(8 + length);
    SafetensorsHeader header = SafetensorsHeader.parse(source, text, data.byteSize());
    Map<String, Entry> tensors = new LinkedHashMap<>();
    for (SafetensorsHeader.Place place : header.places()) {
      float[] values = data.asSlice(place.begin(), place.end() - place.begin()).toArray(FLOAT);
      tensors.put(place.name(), new Entry(values, place.dims()));
    }
    return new Content(header.metadata(), tensors);
  }

  private static void writeValues(FileChannel channel, float[] values) throws IOException {
    ByteBuffer buffer = ByteBuffer.allocateDirect(1 << 16).order(ByteOrder.LITTLE_ENDIAN);
    int most = buffer.capacity() / Float.BYTES;
    for (int at = 0; at < values.length; at += most) {
      int count = Math.min(most, values.length - at);
      buffer.clear();
      buffer.asFloatBuffer().put(values, at, count);
      writeAll(channel, buffer.limit(count * Float.BYTES));
    }
  }

  private static void writeAll(FileChannel channel, ByteBuffer buffer) throws IOException {
    while (buffer.hasRemaining()) {
      channel.write(buffer);
    }
  }
}
