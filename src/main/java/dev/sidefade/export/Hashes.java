package dev.sidefade.export;

import dev.sidefade.onnx.Initializer;
import dev.sidefade.onnx.OnnxModel;
import dev.sidefade.tensor.Sha256;
import java.util.Optional;

/** SHA-256 of what lies beside a model, as hexadecimal digits. */
final class Hashes {
  private Hashes() {}

  /**
   * Of the elements of all tensors that lie beside the model, in its order; empty where none do.
   */
  static Optional<String> ofExternalData(OnnxModel model) {
    Sha256 hash = new Sha256();
    boolean any = false;
    for (Initializer tensor : model.graph().initializers().values()) {
      if (tensor.external()) {
        any = true;
        hash.add(tensor.data());
      }
    }
    return any ? Optional.of(hash.finish()) : Optional.empty();
  }
}
