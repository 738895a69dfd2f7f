package dev.sidefade.onnx;

import dev.sidefade.tensor.BadInputException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;

/** Where the elements of a tensor are. */
sealed interface TensorData {

  /** {@code raw_data}: little-endian elements. */
  record Raw(MemorySegment bytes) implements TensorData {}

  /** Another file; {@code length} is -1 where it is not given. */
  record External(ExternalFolder folder, String location, long offset, long length)
      implements TensorData {}

  /** One of the typed lists: 4 float, 5 int32, 7 int64, 10 double, 11 uint64. */
  record Typed(int field, List<RawField> fields) implements TensorData {

    /** The elements, little-endian, exactly {@code expected} bytes of elements of {@code type}. */
    MemorySegment decode(String name, ElementType type, long expected) {
      long encoded = fields.stream().mapToLong(run -> run.bytes().byteSize()).sum();
      LittleEndianBytes bytes = new LittleEndianBytes(expected, encoded, name);
      for (RawField run : fields) {
        ProtoReader reader = new ProtoReader("tensor " + name, run.bytes());
        while (reader.next()) {
          switch (field) {
            case 4, 10 -> fixed(reader, bytes);
            default -> varints(reader, bytes, storedBytes(type));
          }
        }
      }
      return bytes.complete();
    }

    private static void fixed(ProtoReader reader, LittleEndianBytes bytes) {
      bytes.add(reader.fixedBytes());
    }

    private static void varints(ProtoReader reader, LittleEndianBytes bytes, int width) {
      LongBuffer values = new LongBuffer();
      reader.integers(values);
      for (int i = 0; i < values.size(); i++) {
        bytes.add(values.get(i), width);
      }
    }

    /** Bytes that one entry of an integer list stands for; small elements come packed to a byte. */
    private static int storedBytes(ElementType type) {
      return Math.max(1, type.bits() / 8);
    }
  }

  /** Bytes of a tensor that is being decoded; more or fewer than expected are an error. */
  final class LittleEndianBytes {
    private static final ValueLayout.OfByte BYTE = ValueLayout.JAVA_BYTE;

    private final MemorySegment bytes;
    private final String name;
    private long used;

    LittleEndianBytes(long expected, long encoded, String name) {
      // an encoded byte stands for at most 8 bytes: a hostile shape allocates nothing
      if (expected / 8 > encoded) {
        throw wrongLength(name, "fewer");
      }
      if (expected > Integer.MAX_VALUE - 8) {
        throw Refusal.of(
            "tensor " + name + " of " + expected + " bytes must be stored as raw or external data");
      }
      this.bytes = MemorySegment.ofArray(new byte[(int) expected]);
      this.name = name;
    }

    void add(MemorySegment more) {
      if (more.byteSize() > bytes.byteSize() - used) {
        throw wrongLength(name, "more");
      }
      MemorySegment.copy(more, 0, bytes, used, more.byteSize());
      used += more.byteSize();
    }

    void add(long value, int width) {
      if (width > bytes.byteSize() - used) {
        throw wrongLength(name, "more");
      }
      for (int i = 0; i < width; i++) {
        bytes.set(BYTE, used++, (byte) (value >>> (8 * i)));
      }
    }

    MemorySegment complete() {
      if (used != bytes.byteSize()) {
        throw wrongLength(name, "fewer");
      }
      return bytes;
    }

    private static BadInputException wrongLength(String name, String how) {
      return Refusal.of(
          "tensor "
              + name
              + " holds "
              + how
              + " elements than its shape says; export the model again");
    }
  }
}
