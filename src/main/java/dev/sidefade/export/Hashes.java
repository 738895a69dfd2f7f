package dev.sidefade.export;

import dev.sidefade.onnx.Initializer;
import dev.sidefade.onnx.OnnxModel;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.DigestInputStream;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.Optional;

/** SHA-256 of files and of what lies beside them, as hexadecimal digits. */
final class Hashes {
  /** Pieces in which mapped memory is viewed as buffers. */
  private static final long PIECE = 1 << 26;

  private Hashes() {}

  static String ofFile(Path file) throws IOException {
    MessageDigest digest = sha256();
    try (InputStream in = new DigestInputStream(Files.newInputStream(file), digest)) {
      in.transferTo(OutputStream.nullOutputStream());
    }
    return HexFormat.of().formatHex(digest.digest());
  }

  /**
   * Of the elements of all tensors that lie beside the model, in its order; empty where none do.
   */
  static Optional<String> ofExternalData(OnnxModel model) {
    MessageDigest digest = sha256();
    boolean any = false;
    for (Initializer tensor : model.graph().initializers().values()) {
      if (tensor.external()) {
        any = true;
        MemorySegment data = tensor.data();
        for (long at = 0; at < data.byteSize(); at += PIECE) {
          digest.update(data.asSlice(at, Math.min(PIECE, data.byteSize() - at)).asByteBuffer());
        }
      }
    }
    return any ? Optional.of(HexFormat.of().formatHex(digest.digest())) : Optional.empty();
  }

  private static MessageDigest sha256() {
    try {
      return MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every Java has SHA-256", e);
    }
  }
}
