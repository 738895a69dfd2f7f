package dev.sidefade.tensor;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.DigestInputStream;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;

/** SHA-256 (FIPS 180-4) of files, texts and native memory, in bounded memory. Not thread-safe. */
public final class Sha256 {
  /** Bytes of native memory that are viewed as one buffer. */
  private static final long PIECE = 1 << 26;

  private final MessageDigest digest;

  /** Of nothing so far. */
  public Sha256() {
    try {
      digest = MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every Java has SHA-256", e);
    }
  }

  /**
   * {@return the hash of a file's bytes, 64 hexadecimal digits}
   *
   * @param file the file
   * @throws IOException if it cannot be read
   */
  public static String ofFile(Path file) throws IOException {
    Sha256 hash = new Sha256();
    try (InputStream in = new DigestInputStream(Files.newInputStream(file), hash.digest)) {
      in.transferTo(OutputStream.nullOutputStream());
    }
    return hash.finish();
  }

  /**
   * Adds the UTF-8 bytes of a text.
   *
   * @param text the text
   * @return this
   */
  public Sha256 add(String text) {
    digest.update(text.getBytes(StandardCharsets.UTF_8));
    return this;
  }

  /**
   * Adds bytes of memory, native or mapped.
   *
   * @param data the bytes
   * @return this
   */
  public Sha256 add(MemorySegment data) {
    for (long at = 0; at < data.byteSize(); at += PIECE) {
      digest.update(data.asSlice(at, Math.min(PIECE, data.byteSize() - at)).asByteBuffer());
    }
    return this;
  }

  /**
   * {@return the hash of all that was added, 64 hexadecimal digits; afterwards it is of nothing}
   */
  public String finish() {
    return HexFormat.of().formatHex(digest.digest());
  }
}
