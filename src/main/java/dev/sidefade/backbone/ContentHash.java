package dev.sidefade.backbone;

import dev.sidefade.onnx.Initializer;
import dev.sidefade.onnx.OnnxGraph;
import dev.sidefade.tensor.Sha256;
import java.util.List;

/** SHA-256 of a model's file and of the tensors that lie in files beside it. */
final class ContentHash {
  private ContentHash() {}

  /**
   * Of {@code file}, the hash of a model's file, and of all tensors that lie beside it; {@code
   * file} itself where none do. Where in the sequence a tensor stands, the model's file says.
   */
  static String of(String file, OnnxGraph graph) {
    List<Initializer> outside = graph.tensors().stream().filter(Initializer::external).toList();
    if (outside.isEmpty()) {
      return file;
    }
    Sha256 hash = new Sha256();
    hash.add(file);
    outside.forEach(tensor -> hash.add(tensor.data()));
    return hash.finish();
  }
}
