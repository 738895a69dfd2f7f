package dev.sidefade.fuzz;

import java.io.ByteArrayOutputStream;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.random.RandomGenerator;

/**
 * Changes a protobuf message in its structure, with the lengths around every change mended, so that
 * the change is met by what reads the inside: fields changed, left out, doubled, moved, put where
 * another message was.
 */
public final class ProtoMutator {
  private static final long[] NUMBERS = {
    0,
    1,
    2,
    3,
    -1,
    7,
    10,
    16,
    127,
    128,
    1L << 20,
    1L << 31,
    1L << 40,
    Long.MAX_VALUE,
    Long.MIN_VALUE,
    Long.MAX_VALUE / 4
  };
  private static final int DEEPEST = 12;

  /** A field: its number, its kind and either bytes, a number, or the fields of a message. */
  private record Field(long number, int wire, byte[] bytes, long value, List<Field> message) {
    boolean isMessage() {
      return message != null;
    }
  }

  private final Mutator leaves;

  /** {@code leaves} changes texts and bytes. */
  public ProtoMutator(Mutator leaves) {
    this.leaves = leaves;
  }

  /** One change somewhere; bytes that are no message come back as they are. */
  public byte[] changed(byte[] bytes, RandomGenerator random) {
    List<Field> fields = parse(bytes, 0, bytes.length, 0);
    if (fields == null || fields.isEmpty()) {
      return bytes;
    }
    change(fields, fields, random);
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    fields.forEach(field -> write(field, out));
    return out.toByteArray();
  }

  private void change(List<Field> fields, List<Field> root, RandomGenerator random) {
    int at = random.nextInt(fields.size());
    Field field = fields.get(at);
    if (field.isMessage() && !field.message().isEmpty() && random.nextInt(8) != 0) {
      change(field.message(), root, random);
      return;
    }
    switch (random.nextInt(8)) {
      case 0 -> fields.remove(at);
      case 1 -> fields.add(random.nextInt(fields.size() + 1), field);
      case 2 -> fields.set(at, frozen(root.get(random.nextInt(root.size()))));
      case 3 -> fields.set(at, renumbered(field, 1 + random.nextInt(20)));
      default -> fields.set(at, revalued(field, random));
    }
  }

  /** A message as bytes, so that it can stand within itself. */
  private static Field frozen(Field field) {
    return field.isMessage()
        ? new Field(field.number(), field.wire(), content(field), 0, null)
        : field;
  }

  private static Field renumbered(Field field, long number) {
    return new Field(number, field.wire, field.bytes, field.value, field.message);
  }

  private Field revalued(Field field, RandomGenerator random) {
    if (field.wire() == 0) {
      long value =
          random.nextBoolean()
              ? NUMBERS[random.nextInt(NUMBERS.length)]
              : field.value() + random.nextInt(-3, 4);
      return new Field(field.number(), 0, null, value, null);
    }
    byte[] bytes = field.isMessage() ? new byte[0] : leaves.changed(field.bytes(), random);
    int fixed = field.wire() == 1 ? 8 : field.wire() == 5 ? 4 : bytes.length;
    byte[] fitting = Arrays.copyOf(bytes, fixed);
    return new Field(field.number(), field.wire(), fitting, 0, null);
  }

  /** The fields between two places; null where they are none. */
  private static List<Field> parse(byte[] bytes, int from, int to, int depth) {
    List<Field> fields = new ArrayList<>();
    int[] at = {from};
    while (at[0] < to) {
      long tag = varint(bytes, at, to);
      int wire = (int) (tag & 7);
      long number = tag >>> 3;
      if (at[0] < 0 || number == 0 || number > 100) {
        return null;
      }
      long length =
          switch (wire) {
            case 0 -> 0;
            case 1 -> 8;
            case 2 -> varint(bytes, at, to);
            case 5 -> 4;
            default -> -1;
          };
      if (at[0] < 0 || length < 0 || length > to - at[0]) {
        return null;
      }
      if (wire == 0) {
        fields.add(new Field(number, 0, null, varint(bytes, at, to), null));
        if (at[0] < 0) {
          return null;
        }
        continue;
      }
      int end = at[0] + (int) length;
      List<Field> inner =
          wire == 2 && length > 0 && depth < DEEPEST ? parse(bytes, at[0], end, depth + 1) : null;
      fields.add(new Field(number, wire, Arrays.copyOfRange(bytes, at[0], end), 0, inner));
      at[0] = end;
    }
    return fields;
  }

  /** Reads on at {@code at}, which becomes -1 where the number is cut off. */
  private static long varint(byte[] bytes, int[] at, int to) {
    long value = 0;
    for (int shift = 0; shift < 70; shift += 7) {
      if (at[0] < 0 || at[0] >= to) {
        break;
      }
      byte next = bytes[at[0]++];
      value |= (long) (next & 0x7f) << shift;
      if (next >= 0) {
        return value;
      }
    }
    at[0] = -1;
    return 0;
  }

  private static void write(Field field, ByteArrayOutputStream out) {
    writeVarint(field.number() << 3 | field.wire(), out);
    if (field.wire() == 0) {
      writeVarint(field.value(), out);
      return;
    }
    byte[] bytes = content(field);
    if (field.wire() == 2) {
      writeVarint(bytes.length, out);
    }
    out.writeBytes(bytes);
  }

  private static byte[] content(Field field) {
    if (!field.isMessage()) {
      return field.bytes();
    }
    ByteArrayOutputStream inner = new ByteArrayOutputStream();
    field.message().forEach(part -> write(part, inner));
    return inner.toByteArray();
  }

  private static void writeVarint(long value, ByteArrayOutputStream out) {
    long rest = value;
    for (; (rest & ~0x7fL) != 0; rest >>>= 7) {
      out.write((int) (rest & 0x7f) | 0x80);
    }
    out.write((int) rest);
  }
}
