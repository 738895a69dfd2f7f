package dev.sidefade.backbone;

import dev.sidefade.onnx.Initializer;
import dev.sidefade.onnx.OnnxGraph;
import dev.sidefade.onnx.OnnxNode;
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

/** SHA-256 of a model's file and of the tensors that lie in files beside it. */
final class ContentHash {
  /** Bytes of a mapped file that are viewed as one buffer. */
  private static final long PIECE = 1 << 26;

  private final MessageDigest digest = sha256();
  private boolean external;

  private ContentHash() {}

  /** Of the bytes of a file, 64 hexadecimal digits. */
  static String ofFile(Path file) throws IOException {
    MessageDigest digest = sha256();
    try (InputStream in = new DigestInputStream(Files.newInputStream(file), digest)) {
      in.transferTo(OutputStream.nullOutputStream());
    }
    return HexFormat.of().formatHex(digest.digest());
  }

  /**
   * Of {@code file}, the hash of a model's file, and of all tensors that lie beside it; {@code
   * file} itself where none do.
   */
  static String of(String file, OnnxGraph graph) {
    ContentHash hash = new ContentHash();
    hash.digest.update(file.getBytes(StandardCharsets.UTF_8));
    hash.add(graph);
    return hash.external ? HexFormat.of().formatHex(hash.digest.digest()) : file;
  }

  private void add(OnnxGraph graph) {
    graph.initializers().values().forEach(this::add);
    for (OnnxNode node : graph.nodes()) {
      if (node.opType().equals("Constant")) {
        node.tensorAttribute("value").ifPresent(this::add);
      }
      node.subgraphs().forEach(this::add);
    }
  }

  /** Where in the sequence a tensor stands, the model's file says. */
  private void add(Initializer tensor) {
    if (!tensor.external()) {
      return;
    }
    external = true;
    MemorySegment data = tensor.data();
    for (long at = 0; at < data.byteSize(); at += PIECE) {
      digest.update(data.asSlice(at, Math.min(PIECE, data.byteSize() - at)).asByteBuffer());
    }
  }

  private static MessageDigest sha256() {
    try {
      return MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every Java has SHA-256", e);
    }
  }
}
