package dev.sidefade.backbone;

import dev.sidefade.onnx.Initializer;
import dev.sidefade.onnx.OnnxGraph;
import dev.sidefade.onnx.OnnxNode;
import dev.sidefade.tensor.Sha256;

/** SHA-256 of a model's file and of the tensors that lie in files beside it. */
final class ContentHash {
  private final Sha256 all = new Sha256();
  private boolean external;

  private ContentHash() {}

  /**
   * Of {@code file}, the hash of a model's file, and of all tensors that lie beside it; {@code
   * file} itself where none do.
   */
  static String of(String file, OnnxGraph graph) {
    ContentHash hash = new ContentHash();
    hash.all.add(file);
    hash.add(graph);
    return hash.external ? hash.all.finish() : file;
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
    if (tensor.external()) {
      external = true;
      all.add(tensor.data());
    }
  }
}
