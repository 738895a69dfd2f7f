package dev.sidefade.data;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/** The one EXIF field that matters here: which way up a camera was held. */
final class Exif {
  private static final int ORIENTATION = 0x0112;
  private static final int SHORT = 3;

  private Exif() {}

  /**
   * Orientation, 1 to 8, from the content of an APP1 segment; {@code otherwise} where it says
   * nothing sensible.
   */
  static int orientation(ByteBuffer app1, int otherwise) {
    if (app1.limit() < 14 || app1.getInt(0) != 0x45786966 || app1.getShort(4) != 0) {
      return otherwise; // not "Exif\0\0" with a TIFF header behind it
    }
    ByteBuffer tiff = app1.slice(6, app1.limit() - 6);
    switch (tiff.getShort(0)) {
      case 0x4949 -> tiff.order(ByteOrder.LITTLE_ENDIAN);
      case 0x4D4D -> tiff.order(ByteOrder.BIG_ENDIAN);
      default -> {
        return otherwise;
      }
    }
    long directory = Integer.toUnsignedLong(tiff.getInt(4));
    if (directory + 2 > tiff.limit()) {
      return otherwise;
    }
    int entries = Short.toUnsignedInt(tiff.getShort((int) directory));
    for (int i = 0; i < entries; i++) {
      int entry = (int) directory + 2 + 12 * i;
      if (entry + 12 > tiff.limit()) {
        return otherwise;
      }
      if (Short.toUnsignedInt(tiff.getShort(entry)) == ORIENTATION
          && tiff.getShort(entry + 2) == SHORT) {
        int value = tiff.getShort(entry + 8);
        return value >= 1 && value <= 8 ? value : otherwise;
      }
    }
    return otherwise;
  }
}
