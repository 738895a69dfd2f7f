package dev.sidefade.onnx;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.channels.WritableByteChannel;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Encodes one protobuf message. Fields must be written in ascending order of their numbers; fields
 * that were kept from a file are put between them where they belong, so the result is in canonical
 * order. Large byte fields are not copied until the message is written out, so a message may be
 * larger than memory.
 */
final class ProtoWriter {
  /** Pieces shorter than this are copied together. */
  private static final int SMALL = 4096;

  private final List<RawField> kept;
  private final List<MemorySegment> pieces = new ArrayList<>();
  private byte[] buffer = new byte[64];
  private int used;
  private long size;
  private int nextKept;

  ProtoWriter() {
    this(List.of());
  }

  /** A message that also holds the given fields. */
  ProtoWriter(List<RawField> kept) {
    this.kept = kept.stream().sorted(Comparator.comparingInt(RawField::number)).toList();
  }

  void varint(int number, long value) {
    tag(number, ProtoReader.VARINT);
    rawVarint(value);
  }

  void float32(int number, float value) {
    tag(number, ProtoReader.FIXED32);
    int bits = Float.floatToRawIntBits(value);
    for (int shift = 0; shift < 32; shift += 8) {
      rawByte(bits >>> shift);
    }
  }

  /** A text; null writes nothing. */
  void string(int number, @Nullable String text) {
    if (text != null) {
      bytes(number, MemorySegment.ofArray(text.getBytes(StandardCharsets.UTF_8)));
    }
  }

  void bytes(int number, MemorySegment bytes) {
    tag(number, ProtoReader.BYTES);
    rawVarint(bytes.byteSize());
    piece(bytes);
  }

  /** A nested message, which is complete. */
  void message(int number, ProtoWriter message) {
    message.finish();
    tag(number, ProtoReader.BYTES);
    rawVarint(message.size);
    message.pieces.forEach(this::piece);
  }

  /** Number of bytes of the whole message, which is complete. */
  long size() {
    finish();
    return size;
  }

  /** The fields of this message, which is complete, as they are encoded. */
  List<RawField> toFields() {
    List<RawField> fields = new ArrayList<>();
    ProtoReader reader = new ProtoReader("a new message", MemorySegment.ofArray(toBytes()));
    while (reader.next()) {
      reader.keep(fields);
    }
    return fields;
  }

  /** The message in one array; its size must fit an array. */
  byte[] toBytes() {
    byte[] bytes = new byte[Math.toIntExact(size())];
    MemorySegment target = MemorySegment.ofArray(bytes);
    long at = 0;
    for (MemorySegment piece : pieces) {
      MemorySegment.copy(piece, 0, target, at, piece.byteSize());
      at += piece.byteSize();
    }
    return bytes;
  }

  void writeTo(WritableByteChannel channel) throws IOException {
    finish();
    for (MemorySegment piece : pieces) {
      writeFully(channel, piece);
    }
  }

  /** Writes all bytes of a segment of any size. */
  static void writeFully(WritableByteChannel channel, MemorySegment bytes) throws IOException {
    long step = 1 << 24;
    for (long at = 0; at < bytes.byteSize(); at += step) {
      ByteBuffer part = bytes.asSlice(at, Math.min(step, bytes.byteSize() - at)).asByteBuffer();
      while (part.hasRemaining()) {
        channel.write(part);
      }
    }
  }

  private void finish() {
    keptBefore(Integer.MAX_VALUE);
    flush();
  }

  private void tag(int number, int wireType) {
    keptBefore(number);
    rawVarint((long) number << 3 | wireType);
  }

  private void keptBefore(int number) {
    while (nextKept < kept.size() && kept.get(nextKept).number() < number) {
      piece(kept.get(nextKept++).bytes());
    }
  }

  private void rawVarint(long value) {
    long rest = value;
    while ((rest & ~0x7fL) != 0) {
      rawByte((int) (rest & 0x7f) | 0x80);
      rest >>>= 7;
    }
    rawByte((int) rest);
  }

  private void rawByte(int value) {
    reserve(1);
    buffer[used++] = (byte) value;
    size++;
  }

  private void piece(MemorySegment bytes) {
    long length = bytes.byteSize();
    if (length < SMALL) {
      reserve((int) length);
      MemorySegment.copy(bytes, ValueLayout.JAVA_BYTE, 0, buffer, used, (int) length);
      used += (int) length;
    } else {
      flush();
      pieces.add(bytes);
    }
    size += length;
  }

  private void reserve(int more) {
    if (buffer.length - used < more) {
      buffer = Arrays.copyOf(buffer, Math.max(used + more, Math.multiplyExact(buffer.length, 2)));
    }
  }

  private void flush() {
    if (used > 0) {
      pieces.add(MemorySegment.ofArray(Arrays.copyOf(buffer, used)));
      used = 0;
    }
  }
}
