package dev.sidefade.fuzz;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.random.RandomGenerator;

/**
 * Damages inputs: bits, bytes and numbers changed, pieces cut out, doubled, moved and taken from
 * other inputs, the end cut off, words put in that mean something to the parser.
 */
public final class Mutator {
  private static final int MOST_CHANGES = 5;
  private static final int LARGEST = 1 << 16;

  private static final long[] NUMBERS = {
    0,
    1,
    -1,
    2,
    7,
    8,
    63,
    64,
    127,
    128,
    255,
    256,
    65535,
    65536,
    0x7fffffffL,
    0x80000000L,
    0xffffffffL,
    1L << 40,
    Long.MAX_VALUE,
    Long.MIN_VALUE,
    Long.MAX_VALUE - 7,
    Long.MAX_VALUE / 4
  };

  private static final String[] WRITTEN = {
    "0",
    "-1",
    "-0",
    "1",
    "4",
    "2147483647",
    "2147483648",
    "-2147483649",
    "4294967296",
    "9223372036854775807",
    "9223372036854775808",
    "-9223372036854775808",
    "1e9",
    "1e308",
    "1e999",
    "1e-999",
    "0.5",
    "NaN",
    "Infinity",
    "99999999999999999999999999999",
    "0x10",
    "1.0",
    "007"
  };

  private final List<byte[]> samples;
  private final List<byte[]> words;

  /**
   * @param samples inputs that the parser takes
   * @param words that mean something to it
   */
  public Mutator(List<byte[]> samples, List<String> words) {
    this.samples = List.copyOf(samples);
    this.words = words.stream().map(Mutator::bytes).toList();
  }

  /** A text as a sample. */
  public static byte[] bytes(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }

  /** A sample with one to five changes. */
  public byte[] mutant(RandomGenerator random) {
    byte[] bytes = sample(random).clone();
    for (int change = 1 + random.nextInt(MOST_CHANGES); change > 0; change--) {
      bytes = changed(bytes, random);
    }
    return bytes.length > LARGEST ? Arrays.copyOf(bytes, LARGEST) : bytes;
  }

  /** One of the samples, unchanged. */
  public byte[] sample(RandomGenerator random) {
    return samples.get(random.nextInt(samples.size()));
  }

  /** With one change. */
  public byte[] changed(byte[] bytes, RandomGenerator random) {
    if (bytes.length == 0) {
      return word(random);
    }
    int at = random.nextInt(bytes.length);
    int length = 1 + random.nextInt(Math.min(1 << random.nextInt(8), bytes.length - at));
    return switch (random.nextInt(13)) {
      case 0, 1 -> with(bytes, at, (byte) (bytes[at] ^ 1 << random.nextInt(8)));
      case 2 -> with(bytes, at, (byte) random.nextInt());
      case 3 -> with(bytes, at, (byte) (bytes[at] + random.nextInt(-3, 4)));
      case 4 -> filled(bytes, at, length, random);
      case 5 -> spliced(bytes, at, length, new byte[0]);
      case 6 -> spliced(bytes, at, 0, Arrays.copyOfRange(bytes, at, at + length));
      case 7 -> spliced(bytes, at, 0, word(random));
      case 8 -> spliced(bytes, at, length, word(random));
      case 9 -> spliced(bytes, at, random.nextBoolean() ? length : 0, piece(random));
      case 10 -> number(bytes, at, random);
      case 11 -> written(bytes, at, random);
      default -> random.nextInt(3) == 0 ? Arrays.copyOf(bytes, at) : moved(bytes, at, random);
    };
  }

  private byte[] word(RandomGenerator random) {
    return words.isEmpty() ? new byte[1] : words.get(random.nextInt(words.size()));
  }

  /** A piece of any sample. */
  private byte[] piece(RandomGenerator random) {
    byte[] from = sample(random);
    int at = random.nextInt(from.length);
    return Arrays.copyOfRange(from, at, at + 1 + random.nextInt(Math.min(64, from.length - at)));
  }

  private static byte[] with(byte[] bytes, int at, byte value) {
    byte[] copy = bytes.clone();
    copy[at] = value;
    return copy;
  }

  private static byte[] filled(byte[] bytes, int at, int length, RandomGenerator random) {
    byte[] copy = bytes.clone();
    Arrays.fill(copy, at, at + length, (byte) (random.nextBoolean() ? 0xff : random.nextInt()));
    return copy;
  }

  /** Two bytes change places. */
  private static byte[] moved(byte[] bytes, int at, RandomGenerator random) {
    int other = random.nextInt(bytes.length);
    return with(with(bytes, at, bytes[other]), other, bytes[at]);
  }

  /** A binary number of 2, 4 or 8 bytes, of either order. */
  private static byte[] number(byte[] bytes, int at, RandomGenerator random) {
    ByteBuffer copy = ByteBuffer.wrap(bytes.clone());
    copy.order(random.nextBoolean() ? ByteOrder.BIG_ENDIAN : ByteOrder.LITTLE_ENDIAN);
    long value = NUMBERS[random.nextInt(NUMBERS.length)];
    int width = 2 << random.nextInt(3);
    // fields lie at even places more often than not
    int place = Math.min(random.nextInt(4) == 0 ? at : at & -width, bytes.length - width);
    if (place >= 0) {
      switch (width) {
        case 2 -> copy.putShort(place, (short) value);
        case 4 -> copy.putInt(place, (int) value);
        default -> copy.putLong(place, value);
      }
    }
    return copy.array();
  }

  /** The next number written in digits becomes another; where there is none, one is put in. */
  private static byte[] written(byte[] bytes, int at, RandomGenerator random) {
    int from = at;
    while (from < bytes.length && !isDigit(bytes[from])) {
      from++;
    }
    int to = from;
    while (to < bytes.length && isDigit(bytes[to])) {
      to++;
    }
    byte[] number = WRITTEN[random.nextInt(WRITTEN.length)].getBytes(StandardCharsets.US_ASCII);
    return from == bytes.length
        ? spliced(bytes, at, 0, number)
        : spliced(bytes, from, to - from, number);
  }

  private static boolean isDigit(byte b) {
    return b >= '0' && b <= '9';
  }

  /** With {@code removed} bytes at {@code at} replaced. */
  private static byte[] spliced(byte[] bytes, int at, int removed, byte[] by) {
    byte[] result = Arrays.copyOf(bytes, bytes.length - removed + by.length);
    System.arraycopy(by, 0, result, at, by.length);
    System.arraycopy(bytes, at + removed, result, at + by.length, bytes.length - at - removed);
    return result;
  }
}
