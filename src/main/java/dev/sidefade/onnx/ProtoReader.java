package dev.sidefade.onnx;

import dev.sidefade.tensor.BadInputException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.List;

/**
 * Reads the fields of one protobuf message from memory, with 64-bit offsets. Every length is
 * checked against the bytes that are left before anything is made of it, so a hostile length costs
 * nothing.
 *
 * <p>Use: {@code while (reader.next()) switch (reader.field()) ...}, where each case takes the
 * value with exactly one of {@link #varint}, {@link #bytes}, {@link #string}, {@link #message},
 * {@link #float32} or {@link #keep}.
 */
final class ProtoReader {
  static final int VARINT = 0;
  static final int FIXED64 = 1;
  static final int BYTES = 2;
  static final int FIXED32 = 5;

  /** Messages nested deeper than this are refused, as protobuf's own parsers do. */
  private static final int DEEPEST = 100;

  private static final ValueLayout.OfInt INT =
      ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  private final String source;
  private final MemorySegment memory;

  /** Where {@link #memory} begins in the file, for messages to people. */
  private final long base;

  private final int depth;
  private long position;
  private long fieldStart;
  private int field;
  private int wireType;
  private long keptStart = -1;
  private long keptEnd = -1;

  private ProtoReader(String source, MemorySegment memory, long base, int depth) {
    this.source = source;
    this.memory = memory;
    this.base = base;
    this.depth = depth;
  }

  /** A reader of a whole file; {@code source} names it in errors. */
  ProtoReader(String source, MemorySegment memory) {
    this(source, memory, 0, 0);
  }

  /** A second reader of the same message, from its start. */
  ProtoReader again() {
    return new ProtoReader(source, memory, base, depth);
  }

  String source() {
    return source;
  }

  /** The whole message. */
  MemorySegment memory() {
    return memory;
  }

  /** Number of the current field. */
  int field() {
    return field;
  }

  /** Moves to the next field; false at the end of the message. */
  boolean next() {
    if (position == memory.byteSize()) {
      return false;
    }
    fieldStart = position;
    long tag = readVarint();
    wireType = (int) (tag & 7);
    long number = tag >>> 3;
    if (number == 0 || number > 0x1fffffff || wireType > 5 || wireType == 3 || wireType == 4) {
      throw error("there is no valid field", fieldStart);
    }
    field = (int) number;
    return true;
  }

  long varint() {
    require(VARINT);
    return readVarint();
  }

  float float32() {
    require(FIXED32);
    return Float.intBitsToFloat(take(4).get(INT, 0));
  }

  /** The bytes of a length-delimited field: a view, not a copy. */
  MemorySegment bytes() {
    require(BYTES);
    return takeDelimited();
  }

  /** A text, which must be UTF-8. */
  String string() {
    MemorySegment text = bytes();
    if (text.byteSize() > 1 << 28) {
      throw error("a name of " + text.byteSize() + " bytes stands", fieldStart);
    }
    try {
      ByteBuffer encoded = ByteBuffer.wrap(text.toArray(ValueLayout.JAVA_BYTE));
      return StandardCharsets.UTF_8.newDecoder().decode(encoded).toString();
    } catch (CharacterCodingException e) {
      throw error("a text that is not UTF-8 stands", fieldStart);
    }
  }

  /** A reader of the message in the current field. */
  ProtoReader message() {
    MemorySegment inner = bytes();
    if (depth == DEEPEST) {
      throw error("messages are nested more than " + DEEPEST + " deep", fieldStart);
    }
    return new ProtoReader(source, inner, base + position - inner.byteSize(), depth + 1);
  }

  /** Appends the integers of the current field, packed or not. */
  void integers(LongBuffer into) {
    if (wireType == VARINT) {
      into.add(readVarint());
      return;
    }
    ProtoReader packed = packed();
    while (packed.position < packed.memory.byteSize()) {
      into.add(packed.readVarint());
    }
  }

  /** Appends the 32-bit floats of the current field, packed or not, as their bits. */
  void floats(LongBuffer into) {
    if (wireType == FIXED32) {
      into.add(take(4).get(INT, 0));
      return;
    }
    ProtoReader packed = packed();
    while (packed.position < packed.memory.byteSize()) {
      into.add(packed.take(4).get(INT, 0));
    }
  }

  /** The payload of a list of fixed-size elements, packed or not. */
  MemorySegment fixedBytes() {
    return switch (wireType) {
      case FIXED32 -> take(4);
      case FIXED64 -> take(8);
      default -> bytes();
    };
  }

  /** Skips the current field and appends it to {@code kept} as it is encoded. */
  void keep(List<RawField> kept) {
    skip();
    if (keptEnd == fieldStart && !kept.isEmpty() && kept.getLast().number() == field) {
      kept.removeLast();
    } else {
      keptStart = fieldStart;
    }
    keptEnd = position;
    kept.add(new RawField(field, memory.asSlice(keptStart, keptEnd - keptStart)));
  }

  void skip() {
    switch (wireType) {
      case VARINT -> readVarint();
      case FIXED64 -> take(8);
      case FIXED32 -> take(4);
      default -> takeDelimited();
    }
  }

  /** An error about the current field. */
  BadInputException error(String what) {
    return error(what, fieldStart);
  }

  private ProtoReader packed() {
    MemorySegment inner = bytes();
    return new ProtoReader(source, inner, base + position - inner.byteSize(), depth);
  }

  private void require(int expected) {
    if (wireType != expected) {
      throw error("field " + field + " has the wrong kind", fieldStart);
    }
  }

  private long readVarint() {
    long value = 0;
    long start = position;
    for (int shift = 0; shift < 70; shift += 7) {
      if (position == memory.byteSize()) {
        throw error("a number is cut off", start);
      }
      byte next = memory.get(ValueLayout.JAVA_BYTE, position++);
      value |= (long) (next & 0x7f) << shift;
      if (next >= 0) {
        return value;
      }
    }
    throw error("a number has more than ten bytes", start);
  }

  private MemorySegment takeDelimited() {
    return take(readVarint());
  }

  private MemorySegment take(long length) {
    long left = memory.byteSize() - position;
    if (length < 0 || length > left) {
      throw error(
          "a field announces "
              + Long.toUnsignedString(length)
              + " bytes where "
              + left
              + " are left",
          fieldStart);
    }
    MemorySegment taken = memory.asSlice(position, length);
    position += length;
    return taken;
  }

  private BadInputException error(String what, long at) {
    return Refusal.of(
        source
            + " is not a complete ONNX model: "
            + what
            + " at byte "
            + (base + at)
            + "; export or download it again");
  }
}
