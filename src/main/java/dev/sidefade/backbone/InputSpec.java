package dev.sidefade.backbone;

import dev.sidefade.onnx.ElementType;
import java.util.List;

/**
 * One input of a backbone.
 *
 * @param name name of the input
 * @param type element type
 * @param dims dimensions, outermost (the batch) first; -1 where the model leaves it open
 */
public record InputSpec(String name, ElementType type, List<Long> dims) {
  /** Copies the list. */
  public InputSpec {
    dims = List.copyOf(dims);
  }

  /** {@return whether this looks like images: floats of batch x channels x height x width} */
  public boolean isImage() {
    return type == ElementType.FLOAT && dims.size() == 4;
  }
}
