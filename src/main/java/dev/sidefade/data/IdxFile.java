package dev.sidefade.data;

import dev.sidefade.tensor.BadInputException;
import java.io.BufferedInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.zip.GZIPInputStream;
import java.util.zip.ZipException;

/**
 * An IDX file of unsigned bytes, the format of MNIST: two zero bytes, the type, the number of
 * dimensions, the dimensions as big-endian 32-bit integers, the elements. A plain file is mapped, a
 * gzip file is unpacked into memory.
 *
 * @param dims the dimensions, outermost first, none of them 0
 * @param data the elements, row-major
 */
record IdxFile(int[] dims, MemorySegment data) {
  private static final int UNSIGNED_BYTE = 0x08;
  private static final int GZIP = 0x1F8B;
  // deflate cannot pack better: what claims more is not worth unpacking
  private static final long MAX_RATIO = 1032;
  private static final long MAX_UNPACKED = Math.min(1L << 30, Runtime.getRuntime().maxMemory() / 4);

  /** Whether a file is to be read as IDX: by its name or its first bytes. */
  static boolean looksLikeIdx(Path path) throws IOException {
    String name = String.valueOf(path.getFileName());
    if (name.contains("idx") && name.contains("ubyte")) {
      return true;
    }
    try (InputStream in = Files.newInputStream(path)) {
      byte[] start = in.readNBytes(2);
      return start.length == 2 && (isGzip(start) || (start[0] == 0 && start[1] == 0));
    }
  }

  /** The labels that belong to an images file by the usual names, if there are any. */
  static Optional<Path> labelsBeside(Path images) {
    String name = String.valueOf(images.getFileName());
    int at = name.lastIndexOf("images");
    if (at < 0) {
      return Optional.empty();
    }
    String labels =
        name.substring(0, at) + "labels" + name.substring(at + 6).replaceFirst("idx[34]", "idx1");
    String plain = labels.endsWith(".gz") ? labels.substring(0, labels.length() - 3) : labels;
    for (String candidate : new String[] {labels, plain, plain + ".gz"}) {
      Path path = images.resolveSibling(candidate);
      if (Files.isRegularFile(path)) {
        return Optional.of(path);
      }
    }
    return Optional.empty();
  }

  /**
   * Reads a file.
   *
   * @param arena holds the mapping of a plain file
   * @param ranks the numbers of dimensions that are welcome, ascending
   * @throws BadInputException if the file is no IDX file of bytes, or its length is not what its
   *     header says
   */
  static IdxFile read(Path path, Arena arena, int... ranks) throws IOException {
    byte[] start;
    try (InputStream in = Files.newInputStream(path)) {
      start = in.readNBytes(4 + 4 * 255);
    }
    return isGzip(start) ? unpack(path, ranks) : map(path, start, arena, ranks);
  }

  private static IdxFile map(Path path, byte[] start, Arena arena, int... ranks)
      throws IOException {
    int[] dims = header(path, start, ranks);
    long header = 4 + 4L * dims.length;
    long elements = elements(path, dims);
    try (FileChannel channel = FileChannel.open(path)) {
      requireLength(path, header + elements, channel.size());
      MemorySegment data = channel.map(FileChannel.MapMode.READ_ONLY, header, elements, arena);
      return new IdxFile(dims, data);
    }
  }

  private static IdxFile unpack(Path path, int... ranks) throws IOException {
    long packed = Files.size(path);
    try (InputStream in =
        new GZIPInputStream(new BufferedInputStream(Files.newInputStream(path)))) {
      byte[] start = in.readNBytes(4);
      byte[] rest = start.length == 4 ? in.readNBytes(4 * (start[3] & 0xFF)) : new byte[0];
      byte[] both = Arrays.copyOf(start, start.length + rest.length);
      System.arraycopy(rest, 0, both, start.length, rest.length);
      int[] dims = header(path, both, ranks);
      long elements = elements(path, dims);
      if (elements > Math.multiplyExact(packed, MAX_RATIO)) {
        throw new BadInputException(
            describe(path, dims)
                + " and must hold "
                + elements
                + " bytes, but "
                + packed
                + " bytes of gzip cannot hold as many: it is truncated or damaged");
      }
      if (elements > MAX_UNPACKED) {
        throw new BadInputException(
            describe(path, dims)
                + ": unpack it with gunzip, since more than "
                + MAX_UNPACKED
                + " bytes are not unpacked into memory");
      }
      byte[] data = in.readNBytes((int) elements);
      // the read past the end also has the checksum verified; of a surplus one byte says enough
      int surplus = in.read() < 0 ? 0 : 1;
      requireLength(path, both.length + elements, both.length + data.length + surplus);
      return new IdxFile(dims, MemorySegment.ofArray(data));
    } catch (EOFException | ZipException e) {
      throw new BadInputException(
          "IDX file " + path + " is truncated or damaged: gzip reports '" + e.getMessage() + "'",
          e);
    }
  }

  private static int[] header(Path path, byte[] start, int... ranks) {
    String expected =
        Arrays.stream(ranks).mapToObj(r -> "0000080" + r).collect(Collectors.joining(" or "));
    if (start.length < 4) {
      throw new BadInputException(
          "IDX file "
              + path
              + " has only "
              + start.length
              + " bytes: expected the magic number "
              + expected
              + " at its start");
    }
    int magic = ByteBuffer.wrap(start).getInt();
    int rank = magic & 0xFF;
    if (magic >>> 8 != UNSIGNED_BYTE || Arrays.stream(ranks).noneMatch(r -> r == rank)) {
      throw new BadInputException(
          "IDX file "
              + path
              + " begins with "
              + "%08x".formatted(magic)
              + ": expected the magic number "
              + expected
              + " (unsigned bytes)");
    }
    if (start.length < 4 + 4 * rank) {
      throw new BadInputException(
          "IDX file "
              + path
              + " has only "
              + start.length
              + " bytes: its header needs "
              + (4 + 4 * rank));
    }
    int[] dims = new int[rank];
    ByteBuffer.wrap(start).position(4).asIntBuffer().get(dims);
    return dims;
  }

  /** Number of elements; every dimension is positive. */
  private static long elements(Path path, int... dims) {
    long product = 1;
    for (int d : dims) {
      long high = Math.multiplyHigh(product, d);
      product *= d;
      if (d <= 0 || high != 0 || product < 0) {
        throw new BadInputException(
            describe(path, dims) + ": expected positive dimensions whose product can be addressed");
      }
    }
    return product;
  }

  private static void requireLength(Path path, long expected, long found) {
    if (found != expected) {
      throw new BadInputException(
          "IDX file "
              + path
              + " has "
              + (found < expected ? "only " : "")
              + found
              + (found > expected ? " or more" : "")
              + " bytes (unpacked), but its header asks for "
              + expected
              + (found < expected ? ": it is truncated" : ": it has too many"));
    }
  }

  private static String describe(Path path, int... dims) {
    return "IDX file "
        + path
        + " says it is of size "
        + Arrays.stream(dims).mapToObj(Integer::toUnsignedString).collect(Collectors.joining("x"));
  }

  private static boolean isGzip(byte[] start) {
    return start.length >= 2 && ((start[0] & 0xFF) << 8 | (start[1] & 0xFF)) == GZIP;
  }
}
