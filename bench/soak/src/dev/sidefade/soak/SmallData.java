package dev.sidefade.soak;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.zip.GZIPInputStream;
import java.util.zip.GZIPOutputStream;

/** Cuts the shipped digits down, for runs that take a second. */
final class SmallData {
  private SmallData() {}

  /** Leaves the first {@code count} images and labels of a set. */
  static void cut(DemoData data, String set, int count) throws IOException {
    cut(data.folder().resolve(set + "-images-idx3-ubyte.gz"), 16, 28 * 28, count);
    cut(data.folder().resolve(set + "-labels-idx1-ubyte.gz"), 8, 1, count);
  }

  private static void cut(Path file, int header, int each, int count) throws IOException {
    ByteBuffer start = ByteBuffer.allocate(header + each * count);
    try (InputStream in = new GZIPInputStream(Files.newInputStream(file))) {
      start.put(in.readNBytes(start.capacity()));
    }
    start.putInt(4, count);
    ByteArrayOutputStream packed = new ByteArrayOutputStream();
    try (GZIPOutputStream out = new GZIPOutputStream(packed)) {
      out.write(start.array());
    }
    Files.write(file, packed.toByteArray());
  }
}
