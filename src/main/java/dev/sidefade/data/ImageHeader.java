package dev.sidefade.data;

import java.nio.ByteBuffer;
import java.util.Objects;
import java.util.zip.CRC32;

/**
 * What a PNG or JPEG file says of itself, read without decoding it, after a walk through all of its
 * parts: a file that ends too early, or a PNG whose checksums do not fit, is refused here.
 *
 * @param format "png" or "jpeg", as ImageIO names them
 * @param components channels of a JPEG (4 for CMYK); of a PNG, 0
 * @param orientation EXIF orientation of a JPEG, 1 to 8; 1 where none is given
 */
record ImageHeader(String format, int width, int height, int components, int orientation) {
  private static final long PNG_SIGNATURE = 0x89504E470D0A1A0AL;
  private static final int IHDR = 0x49484452;
  private static final int IDAT = 0x49444154;
  private static final int IEND = 0x49454E44;
  // more scans than any camera or encoder makes; each costs a pass over the whole image
  private static final int MAX_SCANS = 500;

  /** Thrown with a reason; the caller knows the name of the image. */
  static final class Malformed extends Exception {
    private static final long serialVersionUID = 1L;

    Malformed(String reason) {
      super(reason);
    }
  }

  /** Reads the header of a whole file. */
  static ImageHeader parse(byte[] file) throws Malformed {
    if (file.length == 0) {
      throw new Malformed("the file has zero bytes");
    }
    if (file.length >= 8 && ByteBuffer.wrap(file).getLong() == PNG_SIGNATURE) {
      return png(ByteBuffer.wrap(file));
    }
    if (file.length >= 3 && at(file, 0) == 0xFF && at(file, 1) == 0xD8 && at(file, 2) == 0xFF) {
      return jpeg(file);
    }
    throw new Malformed("it is neither PNG nor JPEG");
  }

  private static ImageHeader png(ByteBuffer file) throws Malformed {
    ImageHeader header = null;
    boolean data = false;
    int at = 8;
    while (true) {
      require(file.limit() - at >= 12, "the PNG is truncated");
      int length = file.getInt(at);
      int type = file.getInt(at + 4);
      require(length >= 0, "the PNG has a chunk of a negative length");
      require(file.limit() - at - 12 >= length, "the PNG is truncated");
      require(
          crc(file, at + 4, length + 4) == file.getInt(at + 8 + length),
          "a checksum of the PNG is wrong");
      require(
          header != null || (type == IHDR && length == 13),
          "the PNG does not begin with its header");
      if (type == IHDR) {
        header = new ImageHeader("png", file.getInt(at + 8), file.getInt(at + 12), 0, 1);
        require(header.width > 0 && header.height > 0, "the PNG has no width or no height");
      }
      data |= type == IDAT;
      if (type == IEND) {
        require(data, "the PNG holds no pixels");
        return Objects.requireNonNull(header);
      }
      at += 12 + length;
    }
  }

  private static int crc(ByteBuffer file, int from, int length) {
    CRC32 crc = new CRC32();
    crc.update(file.slice(from, length));
    return (int) crc.getValue();
  }

  private static ImageHeader jpeg(byte[] file) throws Malformed {
    ImageHeader frame = null;
    int orientation = 1;
    int scans = 0;
    int at = 2;
    while (true) {
      at = marker(file, at, scans > 0);
      int marker = at(file, at - 1);
      if (marker == 0xD9) {
        require(frame != null && scans > 0, "the JPEG holds no pixels");
        Objects.requireNonNull(frame);
        return new ImageHeader("jpeg", frame.width, frame.height, frame.components, orientation);
      }
      if (marker == 0x01 || (marker >= 0xD0 && marker <= 0xD8)) {
        continue; // without a length
      }
      require(at + 2 <= file.length, "the JPEG is truncated");
      int length = u16(file, at);
      require(length >= 2, "the JPEG has a segment of length " + length);
      require(at + length <= file.length, "the JPEG is truncated");
      if (marker >= 0xC0 && marker <= 0xCF && marker != 0xC4 && marker != 0xC8 && marker != 0xCC) {
        require(length >= 8, "the frame header of the JPEG is too short");
        require(frame == null, "the JPEG has two frame headers");
        frame = new ImageHeader("jpeg", u16(file, at + 5), u16(file, at + 3), at(file, at + 7), 1);
        require(frame.width > 0 && frame.height > 0, "the JPEG has no width or no height");
      } else if (marker == 0xE1) {
        orientation =
            Exif.orientation(ByteBuffer.wrap(file, at + 2, length - 2).slice(), orientation);
      } else if (marker == 0xDA) {
        require(++scans <= MAX_SCANS, "the JPEG has more than " + MAX_SCANS + " scans");
      }
      at += length;
    }
  }

  /** The position after the next marker; {@code inScan}: entropy-coded bytes may come first. */
  private static int marker(byte[] file, int at, boolean inScan) throws Malformed {
    int p = at;
    while (true) {
      require(p + 1 < file.length, "the JPEG is truncated");
      if (at(file, p) != 0xFF) {
        require(inScan, "the JPEG has bytes between its segments");
        p++;
      } else if (at(file, p + 1) == 0xFF) {
        p++; // fill byte
      } else if (at(file, p + 1) == 0
          || (inScan && at(file, p + 1) >= 0xD0 && at(file, p + 1) <= 0xD7)) {
        p += 2; // an escaped FF, or a restart marker
      } else {
        return p + 2;
      }
    }
  }

  private static int at(byte[] file, int i) {
    return file[i] & 0xFF;
  }

  private static int u16(byte[] file, int i) {
    return at(file, i) << 8 | at(file, i + 1);
  }

  private static void require(boolean condition, String reason) throws Malformed {
    if (!condition) {
      throw new Malformed(reason);
    }
  }
}
